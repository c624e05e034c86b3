using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.EventStore;
using Sentiric.Write.Connectors;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Knowledge;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tenants;

/// <summary>
/// The tenant "demo", made through the ordinary commands: a dental clinic with a Turkish and an English assistant, a calendar, articles,
/// a known caller with a phone, and one extension for each thing that a dialplan can do. Seeding a seeded tenant changes nothing, so that
/// what somebody has changed since stays; a seeding that was cut off goes on where it stopped.
/// </summary>
/// <param name="PhonePassword">Of the SIP user <see cref="PhoneUser"/>; at least <see cref="DigestSecret.MinPassword"/> characters.</param>
public sealed record SeedDemoTenant(string PhonePassword, string Realm = SeedDemoTenant.DefaultRealm)
{
    public const string Tenant = "demo";
    public const string Number = "+902120000001";
    public const string AssistantExtension = "1001";
    public const string EchoExtension = "1002";
    public const string AnnouncementExtension = "1003";
    public const string ClosedExtension = "1004";
    public const string MaintenanceExtension = "1005";
    public const string EnglishExtension = "1006";
    public const string Calendar = "takvim";
    public const string KnownCaller = "+905321112233";
    public const string PhoneUser = "ayse";
    public const string DefaultRealm = "sentiric";
    public static readonly Guid KnownCallerId = Guid.Parse("01980000-0000-7000-8000-000000000001");
    private static readonly Requester Seeder = new(Tenant, "seed");

    public async ValueTask<Result<Done>> RunAsync(IEventStore store, CommandRunner runner, CancellationToken ct)
    {
        // The last command of the list claims this extension: where it is claimed, everything before it was done.
        var last = await store.StateAsync<NumberOwner>(Streams.SystemTenant, Streams.Number(EnglishExtension), ct).ConfigureAwait(false);
        if (last.Tenant == Tenant)
        {
            return Done.It;
        }

        foreach (var command in Commands())
        {
            var outcome = await command.RunAsync(runner, Seeder, ct).ConfigureAwait(false);
            if (outcome.Refusal is { } refusal)
            {
                return new Refusal(refusal.Code, $"{command.GetType().Name}: {refusal.Why}");
            }
        }

        return Done.It;
    }

    /// <summary>Everything, in the order in which the one needs the other.</summary>
    public IReadOnlyList<ICommand> Commands() =>
    [
        new CreateTenant(Tenant, "Sentiric Diş Kliniği"),
        new RegisterConnector(Calendar, ConnectorKind.Calendar, new Dictionary<string, string>
        {
            ["open_from"] = "09:00", ["open_to"] = "18:00", ["slot_minutes"] = "30", ["time_zone"] = "Europe/Istanbul", ["open_days"] = "mon-sat", ["language"] = "tr",
        }),
        .. DemoArticles.Turkish,
        .. DemoArticles.English,
        new DefineAssistant("dis-klinigi", DemoAssistants.Turkish),
        new DefineAssistant("dental-clinic", DemoAssistants.English),
        new DefineAnnouncement("duyuru", new Dictionary<string, string>
        {
            ["tr"] = "Sentiric Diş Kliniği'nin duyurusu: bu ay ilk muayene ücretsiz.",
            ["en"] = "News from the Sentiric dental clinic: the first examination is free this month.",
        }),
        new DefineSchedule("kapali", "Hep kapalı", "Europe/Istanbul", [], []),
        new PublishDialplan("karsilama", "Türkçe asistan", DialplanAction.StartAiConversation, new(AssistantId: "dis-klinigi")),
        new PublishDialplan("welcome-en", "English assistant", DialplanAction.StartAiConversation, new(AssistantId: "dental-clinic")),
        new PublishDialplan("yanki", "Yankı testi", DialplanAction.EchoTest, new(Record: false)),
        new PublishDialplan("duyuru", "Duyuru", DialplanAction.PlayAnnouncement, new(AnnouncementId: "duyuru", Record: false)),
        new CreateUser(KnownCallerId, "Ayşe Yılmaz", UserType.Caller, "tr",
            [new(ContactType.Phone, KnownCaller, Primary: true), new(ContactType.Extension, PhoneUser)]),
        SetSipCredential.Of(KnownCallerId, Realm, PhoneUser, PhonePassword),
        new CreateRoute(Number, Route("karsilama")),
        new CreateRoute(AssistantExtension, Route("karsilama")),
        new CreateRoute(EchoExtension, Route("yanki")),
        new CreateRoute(AnnouncementExtension, Route("duyuru")),
        new CreateRoute(ClosedExtension, Route("karsilama") with { ScheduleId = "kapali" }),
        new CreateRoute(MaintenanceExtension, Route("karsilama")),
        new SwitchMaintenance(MaintenanceExtension, On: true),
        new CreateRoute(EnglishExtension, Route("welcome-en") with { Language = "en" }),
    ];

    private static RouteSettings Route(string plan) => new(
        plan, OffHoursDialplan: null, FailSafeDialplan: null, GuestDialplan: null, ScheduleId: null, "tr", BlockAnonymous: false, GuestPolicy.CreateGuest);
}
