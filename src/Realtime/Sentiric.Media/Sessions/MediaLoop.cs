namespace Sentiric.Media;

/// <summary>
/// One media thread: it owns the sockets and the clock of its legs, so a leg's packets and ticks never meet on two processors.
/// Every millisecond it lets the legs of that slot tick and then takes what the sockets hold. Packets therefore wait up to a
/// millisecond and are taken in batches: one wake-up for all of them, not one for each.
/// <code>
///   slot 0        slot 1        ...  slot 19       slot 0
///   |tick| packets|tick| packets|    |tick| packets|          a leg ticks in one slot of the twenty
/// </code>
/// Asks for SCHED_FIFO and goes on with less (<see cref="ThreadUrgency"/>). Without legs it only looks for new ones.
/// </summary>
internal sealed class MediaLoop : IDisposable
{
    private const int IdleWaitMs = 20;

    private readonly MediaSession[][] slots = new MediaSession[Pacing.SlotsPerTick][]; // replaced under the gate, read by the thread
    private readonly Lock gate = new();
    private readonly SocketPoll sockets;
    private readonly Action<string, Exception> onFault;
    private readonly Action<long> onStall;
    private readonly Thread thread;
    private readonly ManualResetEventSlim started = new();
    private readonly MediaPriority wish;
    private volatile bool stopping;
    private volatile int count;
    private long ticks, lateTicks;

    /// <param name="onFault">Where a bug showed itself, and the bug.</param>
    /// <param name="onStall">The thread stood still: so many milliseconds were given up.</param>
    public MediaLoop(string name, MediaPriority wish, Action<string, Exception> onFault, Action<long> onStall)
    {
        (this.onFault, this.onStall, this.wish) = (onFault, onStall, wish);
        Array.Fill(slots, []);
        sockets = new SocketPoll(bug => onFault("receiving", bug));
        thread = new Thread(Run) { Name = name, IsBackground = true };
        thread.Start();
        started.Wait();
    }

    /// <summary>What the kernel granted; without real-time priority (CAP_SYS_NICE) a loaded machine makes ticks late.</summary>
    public MediaPriority Priority { get; private set; }
    public int Count => count;
    public long Ticks => Volatile.Read(ref ticks);
    public long LateTicks => Volatile.Read(ref lateTicks);

    /// <summary>The session ticks in the slot with the fewest legs, and its sockets are listened to.</summary>
    public void Add(MediaSession session)
    {
        lock (gate)
        {
            var slot = 0;
            for (var i = 1; i < slots.Length; i++) slot = slots[i].Length < slots[slot].Length ? i : slot;
            Volatile.Write(ref slots[slot], [.. slots[slot], session]);
            count++;
        }
        foreach (var endpoint in session.Endpoints) sockets.Add(endpoint);
    }

    /// <summary>No datagram and no tick begins after this returns.</summary>
    public void Remove(MediaSession session)
    {
        foreach (var endpoint in session.Endpoints) sockets.Remove(endpoint);
        lock (gate)
        {
            var slot = Array.FindIndex(slots, legs => Array.IndexOf(legs, session) >= 0);
            if (slot < 0) return;
            Volatile.Write(ref slots[slot], [.. slots[slot].Where(leg => leg != session)]);
            count--;
        }
    }

    public void Dispose()
    {
        stopping = true;
        thread.Join();
        sockets.Dispose();
        started.Dispose();
    }

    private void Run()
    {
        Priority = ThreadUrgency.Request(wish);
        started.Set();
        var deadline = Pacing.NowNs() + Pacing.SlotNs;
        for (var slot = 0L; !stopping;)
        {
            if (count == 0)
            {
                sockets.Wait(IdleWaitMs);
                (slot, deadline) = (slot + 1, Pacing.NowNs());
                continue;
            }
            Pacing.SleepUntil(deadline);
            var due = RunDue(ref slot, deadline);
            deadline += due * Pacing.SlotNs;
            sockets.TakeAll(until: deadline, atLeast: (int)(due * count / Pacing.SlotsPerTick));
        }
    }

    // Slots that are due now; what lies too far back is given up in whole ticks, so that every leg loses the same.
    private long RunDue(ref long slot, long deadline)
    {
        var now = Pacing.NowNs();
        var (_, skipped, late) = Pacing.Due(deadline, now);
        if (skipped > 0) Skip(skipped);
        var due = Math.Max(1, (now - deadline) / Pacing.SlotNs + 1 - (long)skipped * Pacing.SlotsPerTick);
        for (var i = 0; i < due; i++, slot++) Tick(Volatile.Read(ref slots[slot % Pacing.SlotsPerTick]), late);
        Volatile.Write(ref ticks, slot / Pacing.SlotsPerTick);
        if (late) Volatile.Write(ref lateTicks, lateTicks + 1 + due / Pacing.SlotsPerTick);
        return due + (long)skipped * Pacing.SlotsPerTick;
    }

    private void Tick(MediaSession[] legs, bool late)
    {
        foreach (var leg in legs)
        {
            try
            {
                leg.Tick(late);
            }
            catch (Exception bug)
            {
                onFault("a tick", bug);
            }
        }
    }

    private void Skip(int frames)
    {
        onStall(frames * 20L);
        for (var i = 0; i < slots.Length; i++)
        {
            foreach (var leg in Volatile.Read(ref slots[i])) leg.Skip(frames);
        }
    }
}
