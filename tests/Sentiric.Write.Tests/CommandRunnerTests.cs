using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Write.Tenants;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests;

public sealed class CommandRunnerTests
{
    private static readonly CreateTenant Command = new(World.Demo, "Demo");
    private static readonly Requester Who = new(World.Demo, "test");

    [Theory]
    [InlineData(0, 1, null)]
    [InlineData(2, 3, null)]
    [InlineData(CommandRunner.MaxTries - 1, CommandRunner.MaxTries, null)]
    [InlineData(CommandRunner.MaxTries, CommandRunner.MaxTries, "request.conflict")]
    public async Task A_lost_race_is_decided_again_a_bounded_number_of_times(int lost, int tries, string? code)
    {
        using var world = new World();
        var store = new LosingStore(world.Store) { Losses = lost };
        var outcome = await Command.RunAsync(new CommandRunner(store, world.Time), Who, default);
        Assert.Equal((code, tries), (outcome.Refusal?.Code, store.Tries));
        Assert.Equal(code is null ? 1 : 0, (await world.LogAsync()).Count);
    }

    [Theory]
    [InlineData("user.unknown", 404)]
    [InlineData("contact.taken", 409)]
    [InlineData("sip.username_taken", 409)]
    [InlineData("calendar.slot_taken", 409)]
    [InlineData("route.exists", 409)]
    [InlineData("request.conflict", 409)]
    [InlineData("request.invalid_json", 400)]
    [InlineData("request.too_large", 413)]
    [InlineData("auth.missing_tenant", 401)]
    [InlineData("tenant.forbidden", 403)]
    [InlineData("store.unavailable", 503)]
    [InlineData("connector.timeout", 504)]
    [InlineData("connector.failed", 502)]
    [InlineData("dialplan.assistant_unknown", 422)]
    [InlineData("schedule.bad_time_zone", 422)]
    [InlineData("odd", 422)]
    public void Every_no_has_its_status(string code, int status) => Assert.Equal(
        new ProblemBody("urn:sentiric:problem:" + code, char.ToUpperInvariant(code[0]) + code[1..].Replace('.', ' ').Replace('_', ' '), status, "why", code),
        Problems.Of(new Refusal(code, "why")));

    private sealed class LosingStore(IEventStore inner) : IEventStore
    {
        public int Losses { get; init; }

        public int Tries { get; private set; }

        public IEventSerializer Serializer => inner.Serializer;

        public ValueTask<IReadOnlyList<AppendResult>> AppendToStreamsAsync(string tenant, IReadOnlyList<StreamAppend> appends, CancellationToken ct = default) =>
            ++Tries <= Losses
                ? throw new WrongExpectedVersionException(appends[0].StreamId, appends[0].Expected, 1)
                : inner.AppendToStreamsAsync(tenant, appends, ct);

        public ValueTask<AppendResult> AppendToStreamAsync(
            string tenant, string streamId, ExpectedVersion expected, IReadOnlyList<EventData> events, AppendOptions? options = null, CancellationToken ct = default) =>
            inner.AppendToStreamAsync(tenant, streamId, expected, events, options, ct);

        public IAsyncEnumerable<RecordedEvent> ReadStreamAsync(
            string tenant, string streamId, long fromVersion = 1, int maxCount = int.MaxValue, CancellationToken ct = default) =>
            inner.ReadStreamAsync(tenant, streamId, fromVersion, maxCount, ct);

        public IAsyncEnumerable<RecordedEvent> ReadAllAsync(long fromPosition, int maxCount, CancellationToken ct = default) =>
            inner.ReadAllAsync(fromPosition, maxCount, ct);

        public ValueTask<StreamState?> GetStreamStateAsync(string tenant, string streamId, CancellationToken ct = default) =>
            inner.GetStreamStateAsync(tenant, streamId, ct);

        public ValueTask<bool> ArchiveStreamAsync(string tenant, string streamId, CancellationToken ct = default) => inner.ArchiveStreamAsync(tenant, streamId, ct);

        public ValueTask<long> GetHighWaterMarkAsync(CancellationToken ct = default) => inner.GetHighWaterMarkAsync(ct);

        public ValueTask WaitForChangeAsync(long afterPosition, TimeSpan timeout, CancellationToken ct = default) => inner.WaitForChangeAsync(afterPosition, timeout, ct);
    }
}
