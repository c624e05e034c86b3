using Sentiric.EventStore;

namespace Sentiric.Benchmarks.Events;

/// <summary>What is measured: an append to the store with the version that the writer knows.</summary>
public sealed class StoreWriter(PostgresEventStore store, int eventsPerAppend) : IWriter
{
    private readonly StreamCursor cursor = new(eventsPerAppend);

    public async Task AppendAsync()
    {
        var events = new EventData[eventsPerAppend];
        for (var i = 0; i < events.Length; i++) events[i] = EventData.Of(Notes.Make((int)cursor.Version + i));
        await store.AppendToStreamAsync(Notes.Tenant, cursor.StreamId, ExpectedVersion.Exact(cursor.Version), events);
        cursor.Advance();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
