using System.Text;
using Xunit;

namespace Sentiric.EventStore.Tests.Privacy;

public sealed class InMemoryProtectionTests : ProtectionContract
{
    private readonly InMemorySubjectVault _vault;
    private readonly PersonalDataProtection _own;
    private readonly InMemoryEventStore _store;
    private int _processes;

    public InMemoryProtectionTests()
    {
        _vault = new InMemorySubjectVault(Clock);
        _own = new PersonalDataProtection(People.Map, _vault, Clock);
        _store = new InMemoryEventStore(People.Serializer, Clock, _own);
    }

    [Fact]
    public async Task Whose_an_event_is_may_stand_in_the_name_of_its_stream_as_it_was_given()
    {
        var protection = new PersonalDataProtection(Owners, _vault, Clock);
        await protection.StartAsync();
        await AppendInEveryWayAsync(new InMemoryEventStore(People.Serializer, Clock, protection), _vault, Tenant);
    }

    // The store lives in one process; another one can have a protection of its own over the same vault.
    protected override async ValueTask<(IEventStore Store, PersonalDataProtection Protection)> ProcessAsync()
    {
        var protection = _processes++ == 0 ? _own : new PersonalDataProtection(People.Map, _vault, Clock);
        await protection.StartAsync();
        return (_store, protection);
    }

    protected override ValueTask<IReadOnlyList<(string Stream, Guid Id, string Json)>> StoredAsync() =>
        ValueTask.FromResult<IReadOnlyList<(string, Guid, string)>>([.. _store.Stored.Select(e => (e.StreamId, e.EventId, Encoding.UTF8.GetString(e.Json.Span)))]);

    protected override async ValueTask<IEventStore> WithMovedPayloadAsync(IEventStore store, PersonalDataProtection protection, Guid fromEvent, Guid toEvent)
    {
        var json = _store.Stored.Single(e => e.EventId == fromEvent).Json;
        var copy = new InMemoryEventStore(People.Serializer, Clock, protection);
        await copy.LoadAsync(_store.Stored.ToAsyncEnumerable().Select(e => new ImportedEvent(
            e.Tenant, e.StreamId, e.Version, e.EventId, e.EventType, e.RecordedAt, e.EventId == toEvent ? json : e.Json, e.Metadata)));
        return copy;
    }
}
