namespace Sentiric.Media;

/// <summary>What somebody beside a call does.</summary>
public enum SupervisorMode
{
    /// <summary>Hears both sides; nobody hears him.</summary>
    Listen,

    /// <summary>Is heard by the agent's side alone.</summary>
    Whisper,

    /// <summary>Is heard by everybody.</summary>
    Join,
}

/// <summary>
/// Somebody beside a call who has no leg of his own: what he hears goes to him as frames of both sides, what he says comes as samples at any pace. While he speaks, the others are
/// turned down for whoever hears him; he does not hear himself. Any thread; dispose once.
/// </summary>
public sealed class SupervisorSeat : IDisposable
{
    private const int VoiceFrames = 50; // a second
    private const int VoiceStartAt = 5; // what a browser's packets of audio need not to stutter
    private readonly Lock gate = new(); // guards links, human and the rest of the last packet
    private readonly MediaSession caller;
    private readonly MediaListener ear;
    private readonly VoiceOver toCaller = new(), toHuman = new();
    private readonly short[] rest = new short[MediaLeg.FrameSamples];
    private int resting;
    private IDisposable[] links = [];
    private bool callerHears, humanHears, isOver;

    public SupervisorSeat(MediaSession caller)
    {
        this.caller = caller;
        ear = caller.ListenBoth(toCaller.Said);
    }

    /// <summary>320 samples each: left the caller, right what the caller hears. Completed when the call's session closes.</summary>
    public System.Threading.Channels.ChannelReader<MediaFrame> Frames => ear.Frames;

    /// <param name="human">Who talks to the caller; null: nobody of flesh and blood. Whispering to nobody is refused (false), and all stays as it was.</param>
    public bool Use(SupervisorMode mode, MediaSession? human)
    {
        lock (gate)
        {
            if (isOver || mode == SupervisorMode.Whisper && human is null) return false;
            Unlink();
            (callerHears, humanHears) = (mode == SupervisorMode.Join, human is not null && mode != SupervisorMode.Listen);
            links = [.. callerHears ? [caller.Stack(toCaller)] : Array.Empty<IDisposable>(), .. humanHears ? [human!.Stack(toHuman)] : Array.Empty<IDisposable>()];
            return true;
        }
    }

    /// <summary>What he says, 8 kHz, in pieces of any length (copied). Dropped while he only listens.</summary>
    public void Speak(ReadOnlySpan<short> pcm)
    {
        lock (gate)
        {
            while (!pcm.IsEmpty)
            {
                var count = Math.Min(pcm.Length, rest.Length - resting);
                pcm[..count].CopyTo(rest.AsSpan(resting));
                pcm = pcm[count..];
                resting += count;
                if (resting < rest.Length) return;
                if (callerHears) toCaller.Bring(rest);
                if (humanHears) toHuman.Bring(rest);
                resting = 0;
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            isOver = true;
            Unlink();
        }
        ear.Dispose();
    }

    private void Unlink()
    {
        foreach (var link in links) link.Dispose();
        (links, callerHears, humanHears) = ([], false, false);
        toCaller.Hush();
    }

    /// <summary>One voice over all that came before it.</summary>
    private sealed class VoiceOver : IAudioStage
    {
        private const float Ducked = 0.4f;
        private readonly RelayStage relay = new(frames: VoiceFrames, startAt: VoiceStartAt);
        private readonly short[] said = new short[MediaLeg.FrameSamples];

        /// <summary>What was added in the last tick; written by the media thread of the leg.</summary>
        public ReadOnlyMemory<short> Said => said;

        public void Bring(ReadOnlySpan<short> frame) => relay.Bring(frame);

        public void Hush() => said.AsSpan().Clear();

        public bool Process(Span<short> frame, bool isHeard)
        {
            said.AsSpan().Clear();
            if (!relay.Process(said, isHeard: false)) return isHeard;
            for (var i = 0; i < frame.Length; i++) frame[i] = (short)(frame[i] * Ducked);
            Mix.Add(frame, said);
            return true;
        }
    }
}
