using Sentiric.Contracts.Services;

namespace Sentiric.Read.Users;

/// <summary>Reads the SIP names out of the user directory for the sip role.</summary>
public sealed class Extensions(Tables tables) : IExtensions
{
    // Names and realms are ASCII; "C" puts them in the order of their bytes, whatever language the database has.
    private const string Sql = $"""
        select n.name, n.realm, d.data ->> 'UserId', d.data ->> 'Name', (d.data ->> 'Disabled')::boolean
        from {UserDirectory.Table} d
        cross join lateral jsonb_to_recordset(case jsonb_typeof(d.data -> 'SipNames') when 'array' then d.data -> 'SipNames' else '[]' end) as r("Realm" text, "Username" text)
        cross join lateral (select r."Username" collate "C" as name, r."Realm" collate "C" as realm) n
        where d.tenant_id = $1 and ($2::text is null or n.name like $2) and ($3::text is null or (n.name, n.realm) > ($3, $4))
        order by n.name, n.realm limit $5
        """;

    public async ValueTask<IReadOnlyList<Extension>> ListAsync(ExtensionQuestion question, CancellationToken ct) => await tables.QueryAsync(
        Sql, row => new Extension(row.GetString(0), row.GetString(1), Guid.Parse(row.GetString(2)), row.GetString(3), row.GetBoolean(4)),
        ct, question.Tenant, Pattern(question.Name), question.AfterName, question.AfterRealm ?? "", Math.Clamp(question.Limit, 1, ExtensionQuestion.MostAtOnce));

    private static string? Pattern(string? name) => name?
        .Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal).Replace('*', '%');
}
