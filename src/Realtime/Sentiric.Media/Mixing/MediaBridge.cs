namespace Sentiric.Media;

/// <summary>
/// Two legs that hear each other, and supervisors beside them. Playback of each leg goes on beside the other's voice. Dispose to part them.
/// <code>
///   caller ◄──────────► agent         supervisor.Listen: both, mixed
///                         ▲           supervisor.Whisper: to the agent alone
///                     supervisor      supervisor.Join: to both
/// </code>
/// </summary>
public sealed class MediaBridge : IDisposable
{
    private readonly Lock gate = new();
    private readonly List<IDisposable> links = [];
    private readonly MediaSession caller, agent;
    private bool isOver;

    private MediaBridge(MediaSession caller, MediaSession agent) => (this.caller, this.agent) = (caller, agent);

    public static MediaBridge Join(MediaSession caller, MediaSession agent)
    {
        var bridge = new MediaBridge(caller, agent);
        bridge.Keep(Link(caller, agent));
        bridge.Keep(Link(agent, caller));
        return bridge;
    }

    /// <summary>The supervisor hears both sides; nobody hears him.</summary>
    public IDisposable Listen(MediaSession supervisor) => Keep(new Links([Link(caller, supervisor), Link(agent, supervisor)]));

    /// <summary>The agent hears the supervisor, the caller does not.</summary>
    public IDisposable Whisper(MediaSession supervisor) => Keep(Link(supervisor, agent));

    /// <summary>A conference of three.</summary>
    public IDisposable Enter(MediaSession third) => Keep(new Links([Listen(third), Link(third, caller), Link(third, agent)]));

    public void Dispose()
    {
        lock (gate)
        {
            isOver = true;
            links.ForEach(l => l.Dispose());
            links.Clear();
        }
    }

    private IDisposable Keep(IDisposable link)
    {
        lock (gate)
        {
            if (isOver) link.Dispose();
            else links.Add(link);
        }
        return link;
    }

    // What one hears, the other says.
    private static Links Link(MediaSession from, MediaSession to)
    {
        var relay = new RelayStage();
        return new Links([to.Stack(relay), from.Listen(frame => relay.Bring(frame.Pcm.Span))]);
    }

    private sealed class Links(IReadOnlyList<IDisposable> parts) : IDisposable
    {
        public void Dispose()
        {
            foreach (var part in parts) part.Dispose();
        }
    }
}
