using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Sentiric.Dialogue;

/// <summary>Keeps the newest state of a call in the background; a state that was overtaken before it was written is not written.</summary>
internal sealed partial class StateKeeper(ICallState store, TimeSpan expiry, ILogger logger)
{
    private readonly Channel<AgentSnapshot> _newest = Channel.CreateBounded<AgentSnapshot>(
        new BoundedChannelOptions(1) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    public void Keep(AgentSnapshot snapshot) => _newest.Writer.TryWrite(snapshot);

    public void Complete() => _newest.Writer.TryComplete();

    public async Task RunAsync(CancellationToken ct)
    {
        await foreach (var snapshot in _newest.Reader.ReadAllAsync(ct).ConfigureAwait(false))
        {
            try
            {
                await store.PutAsync(snapshot.CallId, DialogueJson.Write(snapshot), expiry, ct).ConfigureAwait(false);
            }
            catch (CallStateUnavailableException e)
            {
                // The call goes on; the next state is tried again.
                LogUnavailable(logger, e, snapshot.CallId);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The state of call {CallId} could not be kept")]
    private static partial void LogUnavailable(ILogger logger, Exception e, Guid callId);
}
