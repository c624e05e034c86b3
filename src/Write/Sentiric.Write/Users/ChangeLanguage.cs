using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>PUT /users/{id}/language.</summary>
public sealed record ChangeLanguage(Guid UserId, string Language) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/users/{id:guid}/language", (Guid id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<ChangeLanguageBody>(runner, body => new ChangeLanguage(id, body.Language), ct))
            .Describe<ChangeLanguageBody>("ChangeLanguage", "users");

    public Decision Decide(User user, DateTimeOffset now) => user switch
    {
        { Exists: false } => User.Unknown(UserId),
        _ when !Valid.Language(Language) => new Refusal("user.invalid", "The language is 'tr' or 'en'."),
        _ when user.Language == Language => Decision.Quiet,
        _ => Decision.Of(new UserLanguageChanged(now, UserId, Language)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunOnUserAsync(who, UserId, Decide, ct);
}

public sealed record ChangeLanguageBody(string Language);
