using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.EventStore;
using Sentiric.Write.Users;

namespace Sentiric.Write;

/// <summary>
/// Whom our events are about. A user is a subject by its id; somebody who only called is one by the number, until a user claims that number.
/// What happens on a call belongs to the caller: first to whoever the number means, then to the user who was recognised.
/// </summary>
public static class PersonalData
{
    public static PersonalDataMap Map() => new(
        PersonalMembers.All.Where(m => m.Personal.Count > 0).Select(Event), SubjectOf, Streams.Private,
        new ErasureFact(
            "personal_data_erased",
            erased => new PersonalDataErased(erased.At, erased.ErasureId, erased.SubjectHash, [.. erased.Streams.Select(s => new ErasedStream(s.Tenant, s.StreamId))]),
            fact => fact is PersonalDataErased erased ? [.. erased.Streams.Select(s => new SubjectStream(s.Tenant, s.Stream))] : []));

    public static string SubjectOf(Guid userId) => "user:" + userId.ToString("D");

    /// <summary>The alias of a contact: the same number means different people in different tenants.</summary>
    public static string ContactAlias(string tenant, ContactType type, string value) => $"{tenant}/{type}/{value}";

    /// <summary>The alias under which things are noted that a call led to and that name nobody else.</summary>
    public static string CallAlias(string tenant, Guid callId) => $"{tenant}/call/{callId:N}";

    public static string AppointmentAlias(string tenant, Guid appointmentId) => $"{tenant}/appointment/{appointmentId:N}";

    /// <summary>Whose a recording is: the same person as of the facts of that call.</summary>
    public static SubjectNaming? OfRecorded(string tenant, RecordedPerson person) => person switch
    {
        { UserId: { } user } => Of(user),
        { From: { } from } => OfCaller(tenant, from),
        _ => null,
    };

    private static PersonalEvent Event(EventPrivacy privacy)
    {
        var kind = EventCatalog.Of(privacy.Type);
        return new(
            StoredName.Of(kind.StoredName, kind.Version),
            [.. privacy.Personal.Select(path => new PersonalMember(path, privacy.Optional.Contains(path) ? WhenErased.Null : WhenErased.Placeholder))]);
    }

    private static SubjectNaming? SubjectOf(string tenant, string stream, object fact) => fact switch
    {
        UserCreated e => Of(e.UserId),
        UserRenamed e => Of(e.UserId),
        UserDisabled e => Of(e.UserId),
        ContactAdded e => Of(e.UserId),
        ContactRemoved e => Of(e.UserId),
        SipCredentialSet e => Of(e.UserId),
        SipCredentialRemoved e => Of(e.UserId),
        ContactClaimed e => new(SubjectOf(e.UserId), null, [ContactAlias(tenant, e.Type, e.Value)], AliasChange.Claim),
        ContactReleased e => new(SubjectOf(e.UserId), null, [ContactAlias(tenant, e.Type, e.Value)], AliasChange.Release),
        SipUsernameClaimed e => new(SubjectOf(e.UserId), e.Tenant, [PhoneAlias(e.Realm, e.Username)], AliasChange.Claim),
        SipUsernameReleased e => new(SubjectOf(e.UserId), e.Tenant, [PhoneAlias(e.Realm, e.Username)], AliasChange.Release),
        CallReceived e => OfCaller(tenant, e.From),
        CallRequested e => OfCaller(tenant, e.To),
        ChatStarted { Contact: { } contact } => OfCaller(tenant, contact),
        UserIdentifiedForCall e => Of(e.UserId),
        UserCreatedForCall e => Of(e.UserId),
        AppointmentBooked e => new(null, Aliases: [AliasOf(tenant, e)]),
        AppointmentCancelled e => new(null, Aliases: [AppointmentAlias(tenant, e.AppointmentId)]),
        SipRegistered or SipUnregistered or SipAuthFailed => new(null, Aliases: ["sip/" + AfterFirstDash(stream)]),
        _ => null,
    };

    private static SubjectNaming Of(Guid userId) => new(SubjectOf(userId));

    private static SubjectNaming? OfCaller(string tenant, string from) =>
        PhoneNumber.Normalize(from) is var number && number != PhoneNumber.Anonymous
            ? new(null, Aliases: [ContactAlias(tenant, ContactValue.TypeOf(number), number)])
            : null;

    // A booking without a contact belongs to the call whose key it carries ("{call:N}-{turn}-…").
    internal static string AliasOf(string tenant, AppointmentBooked booked)
    {
        if (booked.Contact.Length > 0 && PhoneNumber.Normalize(booked.Contact) is var number && number != PhoneNumber.Anonymous)
        {
            return ContactAlias(tenant, ContactValue.TypeOf(number), number);
        }

        return CallOf(booked) is { } call ? CallAlias(tenant, call) : AppointmentAlias(tenant, booked.AppointmentId);
    }

    internal static Guid? CallOf(AppointmentBooked booked) =>
        booked.IdempotencyKey.Length > 32 && Guid.TryParseExact(booked.IdempotencyKey.AsSpan(0, 32), "N", out var call) ? call : null;

    // The same for sipuser-{realm}-{username} and registration-{realm}-{username}.
    internal static string PhoneAlias(string realm, string username) => $"sip/{realm}-{username}";

    private static string AfterFirstDash(string stream) => stream[(stream.IndexOf('-', StringComparison.Ordinal) + 1)..];
}
