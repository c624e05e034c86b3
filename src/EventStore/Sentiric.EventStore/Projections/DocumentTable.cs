using System.Globalization;

namespace Sentiric.EventStore;

/// <summary>Marten's table of a document with a revision; the tenant is in its key where streams have one.</summary>
internal static class DocumentTable
{
    public static string NameOf(string documentName) => "mt_doc_" + documentName.ToLower(CultureInfo.InvariantCulture);

    public static string Sql(string table, string suffix, EventTables tables) => Sql(table, suffix, tables.StreamIdSqlType, tables.RevisionSqlType, tables);

    public static string Sql(string table, string suffix, string idType, string revisionType, EventTables tables) => $"""
        create table if not exists {table}{suffix} (
        {(tables.IsConjoined ? "    tenant_id        varchar                  not null default '*DEFAULT*',\n" : "")}    id               {idType} not null,
            data             jsonb                    not null,
            mt_last_modified timestamp with time zone default (transaction_timestamp()),
            mt_dotnet_type   varchar,
            mt_version       {revisionType} not null default 0,
            constraint pkey_{table}_{(tables.IsConjoined ? "tenant_id_" : "")}id{suffix} primary key ({(tables.IsConjoined ? "tenant_id, " : "")}id)
        );
        """;

    /// <summary>What a COPY of documents writes, in its order; the tenant first where there are tenants.</summary>
    public static string CopySql(string table, EventTables tables) =>
        $"copy {table} ({(tables.IsConjoined ? "tenant_id, " : "")}id, data, mt_last_modified, mt_dotnet_type, mt_version) from stdin (format binary)";
}

/// <summary>A projection whose tables depend on the shape of the store.</summary>
internal interface IShapedProjection
{
    string SchemaSql(string suffix, EventTables tables);
}

internal static class ShapedProjections
{
    public static string SchemaSql(this ITableProjection projection, string suffix, EventTables tables) =>
        projection is IShapedProjection shaped ? shaped.SchemaSql(suffix, tables) : projection.SchemaSql(suffix);
}
