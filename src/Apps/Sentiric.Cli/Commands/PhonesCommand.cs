using System.Globalization;
using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;

namespace Sentiric.Cli.Commands;

internal static class PhonesCommand
{
    private const int MostExtensions = 10_000;

    public static Command Command { get; } = new(
        "phones", "the telephones: who is registered, from where, until when, and who is not",
        """
        sentiric phones list [--extension NAME] [--registered|--missing] [--limit N]
                                          every extension that has a password, with its telephones; * in NAME stands for any letters;
                                          --missing: only those without a telephone; --limit: so many extensions (500)
        sentiric phones remove ID|NAME    forgets a telephone, or all of an extension, at once; it comes back when it registers again
        """,
        ["--extension", "--limit"], ["--registered", "--missing"], RunAsync);

    private static Task<int> RunAsync(Session session, CancellationToken ct) => session.Arguments.Word(0, "list or remove") switch
    {
        "list" => ListAsync(session, ct),
        "remove" => RemoveAsync(session, ct),
        var other => throw new UsageException($"phones {other}: there is no such command."),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken ct)
    {
        var told = session.Arguments;
        told.NoMoreThan(1);
        if (told.Has("--registered") && told.Has("--missing")) throw new UsageException("--registered and --missing exclude each other.");
        var limit = told.Number("--limit", ExtensionQuestion.MostAtOnce, 1, MostExtensions);
        if (session.Json) return await session.PrintJsonAsync(Page(told, Math.Min(limit, ExtensionQuestion.MostAtOnce), null), ct);
        var (rows, more) = await AllAsync(session, limit, ct);
        foreach (var line in rows.Count == 0 ? [Nothing(told)] : Lines(session.Terminal, rows)) session.Terminal.Line(line);
        if (more) session.Terminal.Line($"more extensions than {limit}: --limit or --extension shows the others");
        return Cli.Ok;
    }

    private static async Task<(IReadOnlyList<RegistrationRow> Rows, bool More)> AllAsync(Session session, int limit, CancellationToken ct)
    {
        var (rows, progress) = (new List<RegistrationRow>(), new ProgressLine(session.Terminal, session.Time, "asking for telephones"));
        string? cursor = null;
        var names = new HashSet<(string, string)>();
        do
        {
            var page = await session.Api.GetAsync<Page<RegistrationRow>>(Page(session.Arguments, Math.Min(limit - names.Count, ExtensionQuestion.MostAtOnce), cursor), ct);
            rows.AddRange(page.Items);
            names.UnionWith(page.Items.Select(r => (r.Extension, r.Realm)));
            cursor = page.Next;
            if (cursor is not null) progress.Show(names.Count, 0, "extensions");
        }
        while (cursor is not null && names.Count < limit);
        progress.Clear();
        return (rows, cursor is not null);
    }

    private static string Page(Arguments told, int limit, string? cursor) => Query.Path("v1/registrations",
        ("extension", told.Option("--extension")), ("state", told.Has("--registered") ? "registered" : told.Has("--missing") ? "not_registered" : null),
        ("limit", limit.ToString(CultureInfo.InvariantCulture)), ("cursor", cursor));

    private static string Nothing(Arguments told) =>
        told.Has("--registered") ? "no telephone is registered; phones list --missing names the extensions that wait for one"
        : told.Has("--missing") ? "every extension that fits has a registered telephone"
        : told.Option("--extension") is not null ? "no extension fits that has a password for a telephone; phones list shows all of them"
        : "no extension has a password for a telephone yet; PUT /v1/users/ID/sip-credentials/REALM/NAME sets one (users list shows the ids)";

    private static IEnumerable<string> Lines(Terminal terminal, IReadOnlyList<RegistrationRow> rows)
    {
        var lines = Table.Lines(["extension", "user", "state", "telephone", "comes from", "user agent", "registered for", "time left", "id"], [.. rows.Select(Cells)]).ToList();
        var phones = rows.Where(r => r.State == TelephoneState.Registered).ToList();
        var (there, all) = (phones.DistinctBy(r => (r.Extension, r.Realm)).Count(), rows.DistinctBy(r => (r.Extension, r.Realm)).Count());
        return
        [
            terminal.Paint(lines[0], Colour.Grey),
            .. lines.Skip(1).Select((line, at) => rows[at].State == TelephoneState.Registered ? line : terminal.Paint(line, Colour.Yellow)),
            "",
            $"extensions {all}, registered {there} (telephones {phones.Count}), not registered {all - there}",
            .. all > there ? ["not registered: has the telephone power and network? events tail --type sip.auth_failed --tenant '*' shows refused passwords"] : (string[])[],
        ];
    }

    private static IReadOnlyList<string> Cells(RegistrationRow r) =>
    [
        r.Extension, r.UserName, State(r), r.Contact ?? "-", r.SourceAddress is { } from ? $"{r.Transport} {(from.Contains(':', StringComparison.Ordinal) ? $"[{from}]" : from)}:{r.SourcePort}" : "-",
        r.UserAgent ?? "-", Words.AgeOrNone(r.ExpiresAt - TimeSpan.FromSeconds(r.ExpiresInSeconds ?? 0) - r.RegisteredAt), Words.AgeOrNone(r.ExpiresInSeconds is { } left ? TimeSpan.FromSeconds(left) : null),
        r.Id ?? "-",
    ];

    private static string State(RegistrationRow r) => (r.State, r) switch
    {
        (TelephoneState.Registered, { Disabled: true }) => "registered, user disabled",
        (TelephoneState.Registered, _) => "registered",
        (TelephoneState.NotRegistered, { Disabled: true }) => "not registered, user disabled",
        (TelephoneState.NotRegistered, { ForeignRealm: true }) => $"not registered, password of realm {r.Realm}",
        (TelephoneState.NotRegistered, _) => "not registered",
    };

    private static async Task<int> RemoveAsync(Session session, CancellationToken ct)
    {
        var which = session.Arguments.Word(1, "the id of a telephone, or an extension");
        session.Arguments.NoMoreThan(2);
        await session.Api.DeleteAsync($"v1/registrations/{Uri.EscapeDataString(which)}", ct);
        session.Terminal.Line($"{which} is forgotten; a telephone that is still on comes back with its next REGISTER. To keep it out, disable the user or take the password away.");
        return Cli.Ok;
    }
}
