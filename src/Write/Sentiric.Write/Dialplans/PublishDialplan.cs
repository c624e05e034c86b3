using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Http;

using Sentiric.Contracts.Text;

namespace Sentiric.Write.Dialplans;

/// <summary>PUT /dialplans/{id}. Every change is a new revision; a retired plan comes back with the next one.</summary>
public sealed record PublishDialplan(string DialplanId, string Name, DialplanAction Action, DialplanActionData Data) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPut("/dialplans/{id}", (string id, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<PublishDialplanBody>(runner, body => new PublishDialplan(id, body.Name, body.Action, body.Data ?? new()), ct))
            .Describe<PublishDialplanBody>("PublishDialplan", "dialplans");

    public Decision Decide(Dialplan dialplan, PlanReferences known, DateTimeOffset now)
    {
        if (!Valid.Id(DialplanId) || !Valid.Text(Name, Valid.MaxName))
        {
            return new Refusal("dialplan.invalid", "A dialplan needs an id of lower-case letters, digits, dashes and underscores, and a name.");
        }

        if (MissingData(known) is { } refusal)
        {
            return refusal;
        }

        var published = new DialplanPublished(now, DialplanId, (dialplan.Published?.Revision ?? 0) + 1, Name, Action, Data);
        return dialplan.Usable is { } earlier && Valid.Same(earlier with { At = now, Revision = published.Revision }, published)
            ? Decision.Quiet
            : Decision.Of(published);
    }

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var dialplan = await work.FetchAsync<Dialplan>(Streams.Dialplan(DialplanId), token).ConfigureAwait(false);
            var known = new PlanReferences(
                await IsAssistantAsync(work, Data.AssistantId, token).ConfigureAwait(false),
                await IsAnnouncementAsync(work, Data.AnnouncementId, token).ConfigureAwait(false));
            return work.Append(Streams.Dialplan(DialplanId), Decide(dialplan, known, work.Now));
        }, ct);

    private static async ValueTask<bool> IsAssistantAsync(UnitOfWork work, string? id, CancellationToken ct) =>
        id is not null && Valid.Id(id)
        && (await work.FetchAsync<Assistant>(Streams.Assistant(id), ct).ConfigureAwait(false)).Definition is not null;

    private static async ValueTask<bool> IsAnnouncementAsync(UnitOfWork work, string? id, CancellationToken ct) =>
        id is not null && Valid.Id(id)
        && (BuiltInAnnouncements.Ids.Contains(id)
            || (await work.FetchAsync<Announcement>(Streams.Announcement(id), ct).ConfigureAwait(false)).Defined is not null);

    private Refusal? MissingData(PlanReferences known) => Action switch
    {
        // Whom the assistant connects callers with who ask for a person.
        DialplanAction.StartAiConversation or DialplanAction.ProcessGuestCall when Data.Target is { } number && !PhoneNumber.IsCallable(number) =>
            BadTarget("target is the number of a person for callers who ask for one"),
        DialplanAction.StartAiConversation or DialplanAction.ProcessGuestCall =>
            known.Assistant
                ? null
                : new("dialplan.assistant_unknown", $"The plan needs assistant_id of an assistant of this tenant; '{Data.AssistantId}' is none."),
        DialplanAction.PlayAnnouncement =>
            known.Announcement
                ? null
                : new("dialplan.announcement_unknown", $"The plan needs announcement_id of an announcement; '{Data.AnnouncementId}' is none."),
        DialplanAction.Reject =>
            Data.SipStatus is >= 400 and <= 699
                ? null
                : new("dialplan.bad_sip_status", "To reject, the plan needs sip_status, a final SIP response from 400 to 699."),
        DialplanAction.EchoTest => null,
        DialplanAction.BridgeCall when Data.Target is { } number && PhoneNumber.IsCallable(number) => null,
        DialplanAction.BridgeCall => BadTarget("To connect callers, the plan needs target, the number of whom they are connected with"),
        DialplanAction.EnqueueCall => new("dialplan.action_not_available", "This build has no call queues yet; choose another action."),
    };

    private Refusal BadTarget(string what) =>
        new("dialplan.bad_target", $"{what}, in international form (+902121234567) or short, or the SIP user name of a user; '{Data.Target}' is none.");
}

public sealed record PublishDialplanBody(string Name, DialplanAction Action, DialplanActionData? Data = null);

/// <summary>Whether what the plan's data names exists.</summary>
public sealed record PlanReferences(bool Assistant, bool Announcement);
