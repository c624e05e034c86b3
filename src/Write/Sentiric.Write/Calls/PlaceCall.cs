using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.Write.Dialplans;
using Sentiric.Write.Http;

namespace Sentiric.Write.Calls;

/// <summary>
/// POST /calls. The wish is stored as the call's first event; the sip role hears of it over the bus and dials. A client that names the id may send it again: it stays one call.
/// </summary>
public sealed record PlaceCall(Guid CallId, string To, string From, string DialplanId, bool Withheld, int RingSeconds)
{
    public const int UsualRingSeconds = 45, LeastRingSeconds = 5, MostRingSeconds = 180;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/calls", (HttpContext http, CommandRunner runner, DialplanResolver plans, CancellationToken ct) =>
            http.CreateAsync<PlaceCallBody, Planned>(runner, body => new(body.ToCommand(), plans), c => ($"calls/{c.Command.CallId:D}", new CallPlacedReply(c.Command.CallId)), ct))
            .Describe<PlaceCallBody, CallPlacedReply>("PlaceCall", "calls");

    public Decision Decide(Call call, NumberOwner owner, DialplanResolution? plan, string tenant, DateTimeOffset now)
    {
        if (call.Begun)
        {
            return Decision.Quiet;
        }

        if (CallId == Guid.Empty || !PhoneNumber.IsCallable(To) || RingSeconds is < LeastRingSeconds or > MostRingSeconds)
        {
            return new Refusal(
                "call.invalid", $"A call needs whom to call (+905321112233, a short number of at most five digits, or the name of a telephone that registers here), and rings {LeastRingSeconds} to {MostRingSeconds} seconds.");
        }

        if (owner.Tenant != tenant)
        {
            return new Refusal("call.number_not_owned", $"'{From}' is no number of this tenant; a call shows one that has a route.");
        }

        return plan switch
        {
            null => new Refusal("call.dialplan_unknown", $"There is no dialplan '{DialplanId}' that could talk to whom is called."),
            { Action: DialplanAction.Reject } => new Refusal("call.dialplan_unfit", $"The dialplan '{DialplanId}' only rejects calls."),
            _ => Decision.Of(new CallRequested(now, From, To, Withheld, RingSeconds, plan)),
        };
    }

    private ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, DialplanResolver plans, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var stream = Streams.Call(CallId);
            var call = await work.FetchAsync<Call>(stream, token).ConfigureAwait(false);
            var owner = await work.FetchAsync<NumberOwner>(Streams.Number(From), token, Streams.SystemTenant).ConfigureAwait(false);
            var route = await work.FetchAsync<Dialplans.Route>(Streams.Route(From), token).ConfigureAwait(false);
            var plan = await plans.PlanAsync(who.Tenant, DialplanId, route.Settings?.Language ?? "tr", token).ConfigureAwait(false);
            return work.Append(stream, Decide(call, owner, plan, who.Tenant, work.Now));
        }, ct);

    /// <summary>The command with where its plan is looked up.</summary>
    internal sealed record Planned(PlaceCall Command, DialplanResolver Plans) : ICommand
    {
        public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) => Command.RunAsync(runner, who, Plans, ct);
    }
}

/// <param name="To">As people write it: "+90 532 111 22 33", "0532 111 22 33". An extension or a name that a user of the tenant has as SIP user name is that telephone.</param>
/// <param name="From">A number of the tenant; the number called sees it unless <paramref name="Withheld"/>.</param>
/// <param name="DialplanId">What happens once it is answered: a conversation, an announcement, an echo.</param>
/// <param name="RingSeconds">Unanswered for so long, it is given up; 5 to 180.</param>
public sealed record PlaceCallBody(string To, string From, string DialplanId, Guid? CallId = null, bool Withheld = false, int RingSeconds = PlaceCall.UsualRingSeconds)
{
    public PlaceCall ToCommand() => new(CallId ?? Guid.CreateVersion7(), PhoneNumber.Normalize(To), PhoneNumber.Normalize(From), DialplanId, Withheld, RingSeconds);
}

public sealed record CallPlacedReply(Guid CallId);
