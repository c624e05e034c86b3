using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

namespace Sentiric.Write.Users;

/// <summary>POST /users. A client that names the id may send it again: it stays one user.</summary>
public sealed record CreateUser(Guid UserId, string Name, UserType Type, string Language, IReadOnlyList<NewContact> Contacts) : ICommand
{
    public const int MaxContacts = 20;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/users", (HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CreateAsync<CreateUserBody, CreateUser>(runner, body => body.ToCommand(), c => ($"users/{c.UserId:D}", new UserCreatedReply(c.UserId)), ct))
            .Describe<CreateUserBody, UserCreatedReply>("CreateUser", "users");

    public Decision Decide(User user, DateTimeOffset now)
    {
        if (Invalid() is { } refusal)
        {
            return refusal;
        }

        return user.Exists switch
        {
            false => Decision.Of(
                [new UserCreated(now, UserId, Name, Type, Language), .. Contacts.Select(c => new ContactAdded(now, UserId, c.Type, c.Value, c.Primary))]),
            true when IsAlready(user) => Decision.Quiet,
            true => new Refusal("user.exists", $"User {UserId:D} exists already and is somebody else."),
        };
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var normal = Normalized();
            if (normal.Refusal is { } invalid)
            {
                return invalid;
            }

            var command = this with { Contacts = normal.Value };
            var user = await work.FetchAsync<User>(Streams.User(UserId), token).ConfigureAwait(false);
            var decision = command.Decide(user, work.Now);
            var refusal = work.Append(Streams.User(UserId), decision);
            return refusal is not null || decision.Facts.Count == 0 ? refusal : await ClaimAsync(work, command.Contacts, token).ConfigureAwait(false);
        }, ct);

    private async ValueTask<Refusal?> ClaimAsync(UnitOfWork work, IReadOnlyList<NewContact> contacts, CancellationToken ct)
    {
        foreach (var contact in contacts)
        {
            var stream = Streams.Contact(contact.Type, contact.Value);
            var owner = await work.FetchAsync<ContactOwner>(stream, ct).ConfigureAwait(false);
            if (work.Append(stream, owner.Claim(contact.Type, contact.Value, UserId, work.Now)) is { } taken)
            {
                return taken;
            }
        }

        return null;
    }

    private Refusal? Invalid()
    {
        if (UserId == Guid.Empty || !Valid.Text(Name, Valid.MaxName) || !Valid.Language(Language))
        {
            return new("user.invalid", "A user needs a name of at most 200 characters and a language, 'tr' or 'en'; an id, if given, is not zero.");
        }

        return Contacts.DistinctBy(c => (c.Type, c.Value)).Count() != Contacts.Count
            ? new("contact.repeated", "The same contact is named twice.")
            : null;
    }

    private Result<IReadOnlyList<NewContact>> Normalized()
    {
        if (Contacts.Count > MaxContacts)
        {
            return new Refusal("user.invalid", $"A user is created with at most {MaxContacts} contacts.");
        }

        var normal = new List<NewContact>();
        foreach (var contact in Contacts)
        {
            var value = ContactValue.Normalize(contact.Type, contact.Value);
            if (value.Refusal is { } refusal)
            {
                return refusal;
            }

            normal.Add(contact with { Value = value.Value });
        }

        return normal;
    }

    // Later renames and contacts do not make the repeated request a different one; only the type cannot change.
    private bool IsAlready(User user) => user.Type == Type && Contacts.All(c => user.Has(c.Type, c.Value)) && user.Name == Name;
}

public sealed record CreateUserBody(string Name, UserType Type, Guid? UserId = null, string Language = "tr", IReadOnlyList<NewContact>? Contacts = null)
{
    public CreateUser ToCommand() => new(UserId ?? Guid.CreateVersion7(), Name, Type, Language, Contacts ?? []);
}

public sealed record NewContact(ContactType Type, string Value, bool Primary = false);

public sealed record UserCreatedReply(Guid UserId);
