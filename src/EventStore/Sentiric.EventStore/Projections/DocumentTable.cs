using System.Globalization;

namespace Sentiric.EventStore;

/// <summary>Marten's table of a document with a revision, conjoined tenancy.</summary>
internal static class DocumentTable
{
    public static string NameOf(string documentName) => "mt_doc_" + documentName.ToLower(CultureInfo.InvariantCulture);

    public static string Sql(string table, string suffix, EventTables tables) => Sql(table, suffix, tables.StreamIdSqlType, tables.RevisionSqlType);

    public static string Sql(string table, string suffix, string idType, string revisionType) => $"""
        create table if not exists {table}{suffix} (
            tenant_id        varchar                  not null default '*DEFAULT*',
            id               {idType} not null,
            data             jsonb                    not null,
            mt_last_modified timestamp with time zone default (transaction_timestamp()),
            mt_dotnet_type   varchar,
            mt_version       {revisionType} not null default 0,
            constraint pkey_{table}_tenant_id_id{suffix} primary key (tenant_id, id)
        );
        """;
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
