using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Sentiric.Sip;

namespace Sentiric.Sip.Tests.Kit;

/// <summary>Hands invites to the test, or answers them by itself.</summary>
internal sealed class TestApplication : ISipApplication
{
    private readonly Channel<IncomingInvite> invites = Channel.CreateUnbounded<IncomingInvite>();

    public Func<IncomingInvite, Task>? Answering { get; set; }

    public Func<IPEndPoint, SipSourceDecision> Source { get; set; } = _ => SipSourceDecision.Accept;

    public ConcurrentQueue<SipTrace> Traces { get; } = new();

    private int calls;

    public int Calls => Volatile.Read(ref calls);

    public SipSourceDecision OnSource(SipTransportKind transport, IPEndPoint source) => Source(source);

    public void OnTrace(SipTrace trace) => Traces.Enqueue(trace);

    public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
    {
        Interlocked.Increment(ref calls);
        invites.Writer.TryWrite(invite);
        return Answering?.Invoke(invite) ?? Task.CompletedTask;
    }

    /// <summary>Told of one and then taken: a reader that waits for the item itself would hold on to it until the next comes.</summary>
    public async Task<IncomingInvite> NextInviteAsync()
    {
        IncomingInvite? invite;
        while (!invites.Reader.TryRead(out invite))
        {
            await Within(invites.Reader.WaitToReadAsync().AsTask(), "an INVITE to reach the application");
        }

        return invite;
    }

    public static async Task<T> Within<T>(Task<T> task, string what)
    {
        try
        {
            return await task.WaitAsync(ScriptedPhone.Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException("Waited for " + what + ".");
        }
    }
}
