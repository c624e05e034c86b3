using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Contracts.Text;
using Sentiric.Write.Http;

namespace Sentiric.Write.Calls;

/// <summary>POST /calls/{id}/transfer. The wish is stored; the sip role carries it out and tells on the same stream what came of it.</summary>
public sealed record TransferCall(Guid CallId, string To) : ICommand
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/calls/{callId:guid}/transfer", (Guid callId, HttpContext http, CommandRunner runner, CancellationToken ct) =>
            http.CommandAsync<TransferCallBody>(runner, body => new TransferCall(callId, PhoneNumber.Normalize(body.To)), ct))
            .Describe<TransferCallBody>("TransferCall", "calls");

    public Decision Decide(Call call, DateTimeOffset now) => call switch
    {
        { Begun: false } => new Refusal("call.unknown", $"There is no call {CallId:D} in this tenant."),
        { Ended: true } => new Refusal("call.ended", $"Call {CallId:D} is over."),
        _ when !PhoneNumber.IsCallable(To) => new Refusal("call.invalid", "A transfer needs a number (+905321112233, a short number of at most five digits) or the name of a telephone that registers here."),
        { Answered: false } => new Refusal("call.not_answered", $"Call {CallId:D} has not been answered yet."),
        { Transferring: true } or { Bridged: true } => new Refusal("call.transferring", $"Call {CallId:D} is being transferred, or has been."),
        _ => Decision.Of(new TransferRequested(now, To)),
    };

    public ValueTask<Result<Done>> RunAsync(CommandRunner runner, Requester who, CancellationToken ct) =>
        runner.RunAsync(who, async (work, token) =>
        {
            var call = await work.FetchAsync<Call>(Streams.Call(CallId), token).ConfigureAwait(false);
            return work.Append(Streams.Call(CallId), Decide(call, work.Now));
        }, ct);
}

/// <param name="To">As people write it: a number, an extension, or the SIP user name of a user of the tenant.</param>
public sealed record TransferCallBody(string To);
