using Sentiric.EventStore.Tests.Contract;
using Sentiric.Testing;

namespace Sentiric.EventStore.Tests.Chaos.Model;

/// <summary>Random histories against a model that fits on two pages.</summary>
[Trait("Category", "Slow")]
public sealed class ModelTests
{
    private const int Lanes = 4;

    [Fact]
    public Task In_memory_every_history_ends_as_the_model_says() => Histories.RunAsync(
        nameof(In_memory_every_history_ends_as_the_model_says), Histories.CountOr(2_000), Environment.ProcessorCount, withCuts: false,
        () => Task.FromResult<IStage>(new MemoryStage()));

    [Fact]
    public Task On_PostgreSQL_every_history_ends_as_the_model_says() => Histories.RunAsync(
        nameof(On_PostgreSQL_every_history_ends_as_the_model_says), Histories.CountOr(200), Lanes, withCuts: false, PostgresStage.OpenDirectAsync);

    [Theory]
    [InlineData(MartenShape.Marten8, StreamIdentity.Guid)]
    [InlineData(MartenShape.Marten8, StreamIdentity.String)]
    [InlineData(MartenShape.Marten9, StreamIdentity.Guid)]
    public Task On_tables_of_every_shape_a_history_ends_as_the_model_says(MartenShape shape, StreamIdentity identity) => Histories.RunAsync(
        nameof(On_tables_of_every_shape_a_history_ends_as_the_model_says), Histories.CountOr(25), lanes: 2, withCuts: false, PostgresStage.OfShape(shape, identity));

    [Fact]
    public Task With_wires_cut_between_any_two_messages_every_history_ends_as_the_model_says() => Histories.RunAsync(
        nameof(With_wires_cut_between_any_two_messages_every_history_ends_as_the_model_says), Histories.CountOr(100), Lanes, withCuts: true, PostgresStage.OpenWiredAsync);

    private sealed class MemoryStage : IStage
    {
        public ManualTime Clock { get; private set; } = new();

        public IEventStore Store { get; private set; } = null!;

        public IEventStore Look => Store;

        public Task BeginAsync()
        {
            Clock = new ManualTime();
            Store = new InMemoryEventStore(Facts.Serializer, Clock);
            return Task.CompletedTask;
        }

        public void Arm(Cut cut) => throw new InvalidOperationException("There is no wire to cut.");

        public Task QuietAsync() => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
