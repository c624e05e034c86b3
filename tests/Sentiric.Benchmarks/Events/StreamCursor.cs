namespace Sentiric.Benchmarks.Events;

/// <summary>Where a writer stands: it fills one stream after the other, as calls do. Floors and store use the same rule.</summary>
public sealed class StreamCursor(int eventsPerAppend)
{
    private const int EventsPerStream = 100;

    public string StreamId { get; private set; } = NewId();

    /// <summary>The version before the next append.</summary>
    public long Version { get; private set; }

    public void Advance()
    {
        Version += eventsPerAppend;
        if (Version >= EventsPerStream) (StreamId, Version) = (NewId(), 0);
    }

    private static string NewId() => "call-" + Guid.CreateVersion7().ToString("N");
}
