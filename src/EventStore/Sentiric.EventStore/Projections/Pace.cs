namespace Sentiric.EventStore;

/// <summary>
/// How much a shard takes at once: more while there is more and a transaction stays short, less when it gets long.
/// Owned by the shard's loop; the speed is read by anyone.
/// </summary>
internal sealed class Pace(int first, int most, TimeProvider clock)
{
    private static readonly TimeSpan LongBatch = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SpeedWindow = TimeSpan.FromSeconds(1);

    private long _windowFrom;
    private long _windowPositions;
    private double _perSecond;

    public int Size { get; private set; } = Math.Min(first, most);

    /// <summary>Positions per second over the last second or so with work.</summary>
    public double PerSecond => Volatile.Read(ref _perSecond);

    /// <summary>There is nothing to do: the next event finds a small batch, which is quick.</summary>
    public void Rest()
    {
        Size = Math.Min(first, most);
        _windowFrom = 0;
    }

    public void Passed(long positions, int events, TimeSpan took)
    {
        if (took > LongBatch) Size = Math.Max(first, Size / 2);
        else if (events >= Size) Size = Math.Min(most, Size * 2);
        var now = clock.GetTimestamp();
        if (_windowFrom == 0) (_windowFrom, _windowPositions) = (now - (long)(took.TotalSeconds * clock.TimestampFrequency), 0);
        _windowPositions += positions;
        var window = clock.GetElapsedTime(_windowFrom, now);
        if (window > TimeSpan.Zero) Volatile.Write(ref _perSecond, _windowPositions / window.TotalSeconds);
        if (window >= SpeedWindow) (_windowFrom, _windowPositions) = (now, 0);
    }
}
