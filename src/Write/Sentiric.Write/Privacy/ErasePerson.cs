using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Text;
using Sentiric.EventStore;
using Sentiric.Write.Http;
using Sentiric.Write.Users;

namespace Sentiric.Write.Privacy;

/// <summary>
/// POST /erasures: forgets a person, named by user id or by phone number. First what only the plain data allows (the contacts are released, so that the
/// number is free; the phone can no longer register; the user is disabled), then the keys go, and with them everything that was said and stored.
/// </summary>
public sealed class ErasePerson(IEventStore store, CommandRunner runner, Eraser eraser, TimeProvider clock)
{
    private const string Why = "erased";

    /// <summary>What is answered where no master key is.</summary>
    internal static readonly Refusal Off = new("erasure.off", "Personal data is not protected here: no master key is configured (Privacy__MasterKeyFile).");

    // Shorter texts occur by chance, and finding them would prove nothing.
    private const int MinIdentifier = 5;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/erasures", async (HttpContext http, CancellationToken ct) => await AnswerAsync(http, ct).ConfigureAwait(false))
            .Accepts<ErasureBody>("application/json").Produces<ErasureReply>().Produces<ErasureReply>(StatusCodes.Status201Created)
            .WithTags("privacy").WithName("ErasePerson")
            .WithSummary("Forgets a person for good, or, with dry_run, says what that would erase.");
        routes.MapGet("/erasures/{id:guid}", async (HttpContext http, Guid id, CancellationToken ct) => await FindAsync(http, id, ct).ConfigureAwait(false))
            .Produces<ErasureReply>().WithTags("privacy").WithName("GetErasure").WithSummary("An erasure with its signed receipt.");
        routes.MapGet("/erasures", async (HttpContext http, CancellationToken ct) => await ListAsync(http, ct).ConfigureAwait(false))
            .Produces<IReadOnlyList<ErasureReply>>().WithTags("privacy").WithName("ListErasures").WithSummary("The log of erasures, newest first.");
    }

    /// <summary>What would be erased; changes nothing.</summary>
    public async ValueTask<Result<ErasureReply>> PreviewAsync(Requester who, ErasureBody body, CancellationToken ct)
    {
        var person = await PersonAsync(who.Tenant, body.Subject, ct).ConfigureAwait(false);
        if (person.Refusal is { } refusal)
        {
            return refusal;
        }

        var preview = await eraser.PreviewAsync(await RequestAsync(who, person.Value, body, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
        return preview.LivingKeys == 0
            ? new Refusal("erasure.unknown", $"Nothing is kept of '{body.Subject}' in tenant '{who.Tenant}', or it was erased before.")
            : new ErasureReply(null, "dry_run", preview.SubjectHash, preview.LivingKeys, [.. preview.Streams.Select(s => s.StreamId).Order(StringComparer.Ordinal)], null, null);
    }

    public async ValueTask<Result<ErasureReply>> RunAsync(Requester who, ErasureBody body, CancellationToken ct)
    {
        if (!Valid.Text(body.Reason))
        {
            return new Refusal("erasure.invalid", "Say why the person is erased: the application's number, 'retention' and so on. No name belongs there.");
        }

        var person = await PersonAsync(who.Tenant, body.Subject, ct).ConfigureAwait(false);
        if (person.Refusal is { } refusal)
        {
            return refusal;
        }

        var request = await RequestAsync(who, person.Value, body, ct).ConfigureAwait(false);
        if ((await eraser.PreviewAsync(request, ct).ConfigureAwait(false)).LivingKeys == 0)
        {
            return new Refusal("erasure.unknown", $"Nothing is kept of '{body.Subject}' in tenant '{who.Tenant}', or it was erased before.");
        }

        if (await LeaveAsync(who, person.Value, ct).ConfigureAwait(false) is { } stuck)
        {
            return stuck;
        }

        return Reply(await eraser.ForgetSubjectAsync(request, ct).ConfigureAwait(false));
    }

    private static ErasureReply Reply(ErasureRecord record) => new(
        record.Id, record.State.ToString().ToLowerInvariant(), record.SubjectHash, record.KeysDestroyed,
        [.. record.Streams.Select(s => s.StreamId).Order(StringComparer.Ordinal)], record.RequestedAt,
        record.Receipt is { } r ? new ErasureReceiptReply(r.Receipt, r.KeyId, r.Algorithm, r.Signature, r.Audit?.KeyId, r.Audit?.Signature) : null);

    private async ValueTask<Result<Person>> PersonAsync(string tenant, string? subject, CancellationToken ct)
    {
        if (Guid.TryParse(subject, out var userId))
        {
            var user = await store.StateAsync<User>(tenant, Streams.User(userId), ct).ConfigureAwait(false);
            return user.Exists ? new Person(userId, user, null) : User.Unknown(userId);
        }

        var number = PhoneNumber.Normalize(subject);
        if (number == PhoneNumber.Anonymous)
        {
            return new Refusal("erasure.invalid", "Name the person by user id or by phone number.");
        }

        var owner = await store.StateAsync<ContactOwner>(tenant, Streams.Contact(ContactValue.TypeOf(number), number), ct).ConfigureAwait(false);
        return owner.UserId is { } id
            ? new Person(id, await store.StateAsync<User>(tenant, Streams.User(id), ct).ConfigureAwait(false), number)
            : new Person(null, null, number);
    }

    private async ValueTask<ErasureRequest> RequestAsync(Requester who, Person person, ErasureBody body, CancellationToken ct)
    {
        var (tenant, number) = (who.Tenant, person.Number);
        string[] subjects = person.UserId is { } id ? [PersonalData.SubjectOf(id)] : [];
        string[] named = person.UserId is null && number is not null ? [PersonalData.ContactAlias(tenant, ContactValue.TypeOf(number), number)] : [];
        var known = await eraser.PreviewAsync(new(Guid.Empty, tenant, subjects, named, "", ""), ct).ConfigureAwait(false);
        var calls = known.Streams.Select(s => Streams.CallIdOf(s.StreamId)).OfType<Guid>().ToHashSet();
        var identifiers = Identifiers(person);
        var aliases = named.Concat(calls.Select(c => PersonalData.CallAlias(tenant, c))).ToList();
        foreach (var calendar in known.Streams.Where(s => s.StreamId.StartsWith("calendar-", StringComparison.Ordinal)))
        {
            await foreach (var recorded in store.ReadStreamAsync(calendar.Tenant, calendar.StreamId, ct: ct).ConfigureAwait(false))
            {
                if (store.Serializer.Deserialize(recorded) is AppointmentBooked booked
                    && (identifiers.Contains(PhoneNumber.Normalize(booked.Contact)) || (PersonalData.CallOf(booked) is { } call && calls.Contains(call))))
                {
                    aliases.Add(PersonalData.AppointmentAlias(tenant, booked.AppointmentId));
                }
            }
        }

        return new(body.Id ?? Guid.CreateVersion7(clock.GetUtcNow()), tenant, subjects, aliases, body.Reason ?? "", who.Actor, identifiers);
    }

    private static List<string> Identifiers(Person person)
    {
        var texts = new List<string>();
        texts.AddRange(person.User?.Contacts.Select(c => c.Value) ?? []);
        texts.AddRange(person.User?.Credentials.Values.Select(c => c.Ha1Sha256) ?? []);
        if (person.Number is { } number)
        {
            texts.Add(number);
        }

        return [.. texts.Where(t => t.Length >= MinIdentifier).Distinct(StringComparer.Ordinal)];
    }

    private async ValueTask<Refusal?> LeaveAsync(Requester who, Person person, CancellationToken ct)
    {
        if (person is not { UserId: { } id, User: { } user })
        {
            return null;
        }

        var commands = user.Contacts.Select(ICommand (c) => new RemoveContact(id, c.Type, c.Value))
            .Concat(user.Credentials.Keys.Select(ICommand (c) => new RemoveSipCredential(id, c.Realm, c.Username)))
            .Append(new DisableUser(id, Why));
        foreach (var command in commands)
        {
            if ((await command.RunAsync(runner, who, ct).ConfigureAwait(false)).Refusal is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    private static async Task<IResult> AnswerAsync(HttpContext http, CancellationToken ct)
    {
        var who = CommandHttp.RequesterOf(http);
        if (who.Refusal is { } stranger)
        {
            return CommandHttp.Problem(stranger);
        }

        if (http.RequestServices.GetService<ErasePerson>() is not { } erase)
        {
            return CommandHttp.Problem(Off);
        }

        var body = await RequestBody.ReadAsync<ErasureBody>(http.Request, ct).ConfigureAwait(false);
        if (body.Refusal is { } unreadable)
        {
            return CommandHttp.Problem(unreadable);
        }

        var outcome = body.Value.DryRun
            ? await erase.PreviewAsync(who.Value, body.Value, ct).ConfigureAwait(false)
            : await erase.RunAsync(who.Value, body.Value, ct).ConfigureAwait(false);
        return outcome.Match(
            reply => Results.Json(reply, Wire.Json, statusCode: reply.Id is null ? StatusCodes.Status200OK : StatusCodes.Status201Created), CommandHttp.Problem);
    }

    private static async Task<IResult> FindAsync(HttpContext http, Guid id, CancellationToken ct)
    {
        var who = CommandHttp.RequesterOf(http);
        return who.Refusal is { } stranger ? CommandHttp.Problem(stranger)
            : http.RequestServices.GetService<IErasureRecords>() is { } records
                && await records.FindAsync(id, ct).ConfigureAwait(false) is { } record && record.Tenant == who.Value.Tenant
                ? Results.Json(Reply(record), Wire.Json)
                : CommandHttp.Problem(new Refusal("erasure.unknown", $"There is no erasure {id:D} in tenant '{who.Value.Tenant}'."));
    }

    private static async Task<IResult> ListAsync(HttpContext http, CancellationToken ct)
    {
        const int max = 200;
        var who = CommandHttp.RequesterOf(http);
        return who.Refusal is { } stranger ? CommandHttp.Problem(stranger)
            : http.RequestServices.GetService<IErasureRecords>() is { } records
                ? Results.Json((await records.ListAsync(who.Value.Tenant, max, ct).ConfigureAwait(false)).Select(Reply).ToList(), Wire.Json)
                : Results.Json(Array.Empty<ErasureReply>(), Wire.Json);
    }

    private sealed record Person(Guid? UserId, User? User, string? Number);
}

/// <param name="Subject">A user id or a phone number, as people type it.</param>
/// <param name="Id">A client that names the id may send it again.</param>
public sealed record ErasureBody(string? Subject, string? Reason = null, bool DryRun = false, Guid? Id = null);
