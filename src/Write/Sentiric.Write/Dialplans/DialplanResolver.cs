using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.EventStore;
using Sentiric.Write.Users;

namespace Sentiric.Write.Dialplans;

/// <summary>
/// Which plan answers a call: normalise, route, anonymous block, maintenance, schedule, caller, active plan. Whatever is missing leads to
/// the route's fail-safe plan and then to the built-in announcement. Every call reads the streams anew, so a switch holds at once.
/// </summary>
public sealed class DialplanResolver(IEventStore store, UserLookup users) : IDialplans
{
    private const int NotFound = 404;

    public async ValueTask<Result<RouteDecision>> FindRouteAsync(FindRoute request, CancellationToken ct)
    {
        var question = await AskAsync(request.From, request.To, request.At, ct).ConfigureAwait(false);
        if (question?.Route.Settings is not { } settings)
        {
            return new Refusal("route.unknown", $"No tenant has a route for the number '{PhoneNumber.Normalize(request.To)}'.");
        }

        var goesOn = RouteRules.BeforeTheCaller(question, settings, []) is null;
        return new RouteDecision(question.Tenant, question.Number, settings.Language, settings.GuestPolicy,
            IdentifyCaller: goesOn && question.From != PhoneNumber.Anonymous);
    }

    public async ValueTask<DialplanResolution> ResolveAsync(ResolveDialplan request, CancellationToken ct)
    {
        var trace = new List<string>
        {
            $"called number '{request.To}' is {PhoneNumber.Normalize(request.To)}, calling number is {PhoneNumber.Normalize(request.From)}",
        };
        var question = await AskAsync(request.From, request.To, request.At, ct).ConfigureAwait(false);
        if (question?.Route.Settings is not { } settings)
        {
            trace.Add($"no tenant has a route for {PhoneNumber.Normalize(request.To)}");
            var nowhere = new Answer(this, Streams.SystemTenant, "tr", null, null, trace);
            return await nowhere.OfAsync(RouteChoice.Reject(RouteRules.UnknownNumber, NotFound, BuiltInAnnouncements.UnknownNumber), ct).ConfigureAwait(false);
        }

        var choice = RouteRules.BeforeTheCaller(question, settings, trace);
        var caller = choice is null ? request.Caller ?? await LookAsync(question, trace, ct).ConfigureAwait(false) : request.Caller;
        if (choice is null)
        {
            var standing = Standing(caller);
            trace.Add(Described(caller, standing));
            choice = RouteRules.ForTheCaller(settings, standing, trace);
        }

        var answer = new Answer(this, question.Tenant, caller?.Language ?? settings.Language, question.Number, caller?.UserId, trace);
        return await answer.OfAsync(choice, ct).ConfigureAwait(false);
    }

    /// <summary>A plan that somebody names, for a call that we place; null when it is not there, or lacks what it needs.</summary>
    public async ValueTask<DialplanResolution?> PlanAsync(string tenant, string dialplanId, string language, CancellationToken ct)
    {
        var answer = new Answer(this, tenant, language, null, null, [$"the plan '{dialplanId}' was asked for"]);
        return Valid.Id(dialplanId) ? await answer.PlanAsync(dialplanId, RouteRules.Normal, ct).ConfigureAwait(false) : null;
    }

    private async ValueTask<RouteQuestion?> AskAsync(string from, string to, DateTimeOffset at, CancellationToken ct)
    {
        var number = PhoneNumber.Normalize(to);
        var owner = await store.StateAsync<NumberOwner>(Streams.SystemTenant, Streams.Number(number), ct).ConfigureAwait(false);
        if (owner.Tenant is not { } tenant)
        {
            return null;
        }

        var route = await store.StateAsync<Route>(tenant, Streams.Route(number), ct).ConfigureAwait(false);
        var schedule = route.Settings?.ScheduleId is { } id
            ? (await store.StateAsync<Schedule>(tenant, Streams.Schedule(id), ct).ConfigureAwait(false)).Defined
            : null;
        return new(tenant, PhoneNumber.Normalize(from), number, at, route, schedule);
    }

    // Without a caller it is a dry run: look, create nobody.
    private async ValueTask<CallerIdentity?> LookAsync(RouteQuestion question, List<string> trace, CancellationToken ct)
    {
        var known = await users.FindAsync(question.Tenant, question.From, ct).ConfigureAwait(false);
        trace.Add("the caller was not identified before: looked up, nobody created");
        if (known is { Disabled: true })
        {
            trace.Add("the caller is a disabled user; a real call would be rejected");
        }

        return known?.Identity;
    }

    private static CallerStanding Standing(CallerIdentity? caller) => caller switch
    {
        { UserId: not null, Type: UserType.Guest } => CallerStanding.Guest,
        { UserId: not null } => CallerStanding.Known,
        _ => CallerStanding.Unknown,
    };

    private static string Described(CallerIdentity? caller, CallerStanding standing) => standing switch
    {
        CallerStanding.Known => $"the caller is the user {caller?.Name}",
        CallerStanding.Guest => $"the caller is the guest {caller?.Name}",
        CallerStanding.Unknown => "the caller is not known to the tenant",
    };

    /// <summary>Turns a choice into a resolution with everything in it that the call needs.</summary>
    private sealed class Answer(DialplanResolver resolver, string tenant, string language, string? route, Guid? user, List<string> trace)
    {
        public async ValueTask<DialplanResolution> OfAsync(RouteChoice choice, CancellationToken ct)
        {
            if (choice.SipStatus is { } status)
            {
                var words = await resolver.WordsAsync(tenant, choice.Announcement, language, ct).ConfigureAwait(false);
                var data = new DialplanActionData(AnnouncementId: choice.Announcement, SipStatus: status, Record: false);
                return Make("built-in", 0, DialplanAction.Reject, data, choice.Why, null, words);
            }

            if (choice.Announcement is { } announcement)
            {
                return await AnnounceAsync(announcement, choice.Why, ct).ConfigureAwait(false);
            }

            for (var i = 0; i < choice.Plans.Count; i++)
            {
                var why = i == 0 ? choice.Why : RouteRules.FailSafe;
                if (await PlanAsync(choice.Plans[i], why, ct).ConfigureAwait(false) is { } resolution)
                {
                    return resolution;
                }
            }

            trace.Add("nothing is left: the built-in error announcement is played");
            return await AnnounceAsync(BuiltInAnnouncements.Error, RouteRules.FailSafe, ct).ConfigureAwait(false);
        }

        private async ValueTask<DialplanResolution> AnnounceAsync(string announcement, string why, CancellationToken ct)
        {
            var words = await resolver.WordsAsync(tenant, announcement, language, ct).ConfigureAwait(false);
            return Make("built-in", 0, DialplanAction.PlayAnnouncement, new(AnnouncementId: announcement, Record: false), why, null, words);
        }

        public async ValueTask<DialplanResolution?> PlanAsync(string id, string why, CancellationToken ct)
        {
            var plan = (await resolver.StateAsync<Dialplan>(tenant, Streams.Dialplan(id), ct).ConfigureAwait(false)).Usable;
            if (plan is null)
            {
                trace.Add($"plan '{id}' is unknown or retired");
                return null;
            }

            var resolution = plan.Action switch
            {
                DialplanAction.StartAiConversation or DialplanAction.ProcessGuestCall => await AssistantAsync(plan, why, ct).ConfigureAwait(false),
                DialplanAction.PlayAnnouncement => await WordsOfAsync(plan, why, ct).ConfigureAwait(false),
                DialplanAction.EchoTest or DialplanAction.Reject or DialplanAction.BridgeCall => Make(plan, why, null, null),
                // Published by a later build; this one cannot do it.
                DialplanAction.EnqueueCall => null,
            };
            trace.Add(resolution is null
                ? $"plan '{id}' revision {plan.Revision} cannot be used: its {Need(plan.Action)} is missing"
                : $"plan '{id}' revision {plan.Revision} answers the call");
            return resolution is null ? null : resolution with { Trace = [.. trace] };
        }

        private async ValueTask<DialplanResolution?> AssistantAsync(DialplanPublished plan, string why, CancellationToken ct)
        {
            var assistant = plan.Data.AssistantId is { } id
                ? (await resolver.StateAsync<Assistant>(tenant, Streams.Assistant(id), ct).ConfigureAwait(false)).Definition
                : null;
            return assistant is null ? null : Make(plan, why, assistant, null);
        }

        private async ValueTask<DialplanResolution?> WordsOfAsync(DialplanPublished plan, string why, CancellationToken ct)
        {
            var words = await resolver.WordsAsync(tenant, plan.Data.AnnouncementId, language, ct).ConfigureAwait(false);
            return words is null ? null : Make(plan, why, null, words);
        }

        private DialplanResolution Make(DialplanPublished plan, string why, AssistantDefinition? assistant, string? words) =>
            Make(plan.DialplanId, plan.Revision, plan.Action, plan.Data, why, assistant, words);

        // An assistant hears and speaks one language, whatever the caller's is.
        private DialplanResolution Make(
            string plan, int revision, DialplanAction action, DialplanActionData data, string why, AssistantDefinition? assistant, string? words) =>
            new(tenant, plan, revision, action, data, route, user, assistant?.Language ?? language, why, [.. trace], assistant, words);

        private static string Need(DialplanAction action) => action switch
        {
            DialplanAction.StartAiConversation or DialplanAction.ProcessGuestCall => "assistant",
            DialplanAction.PlayAnnouncement => "announcement",
            DialplanAction.BridgeCall or DialplanAction.EnqueueCall or DialplanAction.EchoTest or DialplanAction.Reject => "action",
        };
    }

    private ValueTask<TState> StateAsync<TState>(string tenant, string stream, CancellationToken ct)
        where TState : IState<TState> =>
        store.StateAsync<TState>(tenant, stream, ct);

    /// <summary>The tenant's own words before the built-in ones; the language asked for before any other.</summary>
    private async ValueTask<string?> WordsAsync(string tenant, string? id, string language, CancellationToken ct)
    {
        if (id is null)
        {
            return null;
        }

        var own = (await store.StateAsync<Announcement>(tenant, Streams.Announcement(id), ct).ConfigureAwait(false)).Defined?.Texts;
        return own?.GetValueOrDefault(language) ?? BuiltInAnnouncements.Text(id, language) ?? own?.Values.FirstOrDefault();
    }
}
