using System.Threading.Channels;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests.Kit;

/// <summary>A carrier on loopback that takes our calls; a test says what becomes of each.</summary>
internal sealed class Carrier : ISipApplication, IAsyncDisposable
{
    private readonly Channel<IncomingInvite> _invites = Channel.CreateUnbounded<IncomingInvite>();
    private SipEndpoint? _endpoint;

    public int Heard { get; private set; }

    public string Target => $"sip:{_endpoint!.Bindings[0].Address};transport=udp";

    public static async Task<Carrier> StartAsync()
    {
        var carrier = new Carrier();
        carrier._endpoint = await SipEndpoint.StartAsync(
            new SipEndpointOptions { Listen = [SipListen.Udp()], Sessions = new SipSessionOptions { Transfers = true } }, carrier);
        return carrier;
    }

    /// <summary>As the contact of a telephone that registers.</summary>
    public string Contact => $"sip:desk@{_endpoint!.Bindings[0].Address}";

    public SipTrunk Trunk(string name = "carrier") => new() { Name = name, Target = SipUri.Parse(Target) };

    public Task<IncomingInvite> RingsAsync() => Soon.Within(_invites.Reader.ReadAsync().AsTask(), "a call at the carrier");

    /// <summary>Takes the next call.</summary>
    public async Task<SipDialog> AnswersAsync(Func<IncomingReferral, Task<SipAnswer>>? transfers = null)
    {
        var invite = await RingsAsync();
        invite.ReferHandler = transfers;
        await invite.RingingAsync();
        var answer = await Soon.Within(invite.AnswerAsync(UdpPhone.Sdp), "the ACK of our call");
        return answer.Dialog ?? throw new InvalidOperationException($"The call was not established: {answer.Failure}.");
    }

    public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
    {
        Heard++;
        _invites.Writer.TryWrite(invite);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => _endpoint?.DisposeAsync() ?? ValueTask.CompletedTask;
}
