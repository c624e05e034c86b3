using Sentiric.Cli.Show;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands;

internal static class UsersCommand
{
    public static Command Command { get; } = new(
        "users", "the users of the tenant",
        """
        sentiric users list
        sentiric users create --name NAME [--type caller|agent|supervisor|admin|guest] [--language tr|en] [--phone NUMBER] [--email ADDRESS] [--extension N]
        A user is a caller who speaks Turkish unless told otherwise.
        """,
        ["--name", "--type", "--language", "--phone", "--email", "--extension"], [], RunAsync);

    private sealed record NewUser(string Name, string Type, string Language, IReadOnlyList<NewContact> Contacts);

    private sealed record NewContact(string Type, string Value, bool Primary);

    private sealed record Created(Guid UserId);

    private static Task<int> RunAsync(Session session, CancellationToken ct) => session.Arguments.Word(0, "list or create") switch
    {
        "list" => ListAsync(session, ct),
        "create" => CreateAsync(session, ct),
        var other => throw new UsageException($"users {other}: there is no such command."),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken ct)
    {
        session.Arguments.NoMoreThan(1);
        if (session.Json) return await session.PrintJsonAsync("v1/users", ct);
        var users = await session.Api.GetAsync<IReadOnlyList<UserRow>>("v1/users", ct);
        Table.Print(session.Terminal, ["user", "name", "type", "language", "contacts", "sip", "state"],
        [
            .. users.Select(u => (IReadOnlyList<string>)
            [
                $"{u.UserId}", u.Name, Words.Name(u.Type), u.Language, string.Join(' ', u.Contacts.Select(c => c.Value)), string.Join(' ', u.SipUsernames),
                u.Disabled ? "disabled" : "active",
            ]),
        ]);
        return Cli.Ok;
    }

    private static async Task<int> CreateAsync(Session session, CancellationToken ct)
    {
        var told = session.Arguments;
        told.NoMoreThan(1);
        var contacts = new[] { ("phone", told.Option("--phone")), ("email", told.Option("--email")), ("extension", told.Option("--extension")) }
            .Where(c => c.Item2 is not null).Select((c, at) => new NewContact(c.Item1, c.Item2 ?? "", at == 0)).ToList();
        var user = new NewUser(told.Needed("--name"), told.Option("--type") ?? "caller", told.Option("--language") ?? "tr", contacts);
        var created = await session.Api.PostAsync<Created>("v1/users", user, ct);
        session.Terminal.Line($"{created.UserId}");
        return Cli.Ok;
    }
}
