namespace Sentiric.Host.Tests.Bus;

public sealed class BusInMemory : BusContract
{
    protected override string? Rabbit => null;

    [Fact]
    public Task The_envelope_arrives_as_it_was_published() => A_handler_gets_the_envelope_that_was_published();

    [Fact]
    public Task A_queue_hears_what_its_patterns_choose() => Patterns_choose_what_a_queue_hears();

    [Fact]
    public Task Commands_reach_command_subscriptions_only() => A_command_reaches_its_handlers_with_everything_and_nobody_else();

    [Fact]
    public Task A_handler_that_fails_twice_and_then_succeeds_is_retried() => A_handler_that_fails_twice_is_asked_again();

    [Fact]
    public Task Every_queue_hears_every_event_once() => Two_queues_each_hear_every_event_once();
}
