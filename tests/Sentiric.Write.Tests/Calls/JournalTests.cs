using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Write.Calls;
using Sentiric.Write.Tests.Kit;

namespace Sentiric.Write.Tests.Calls;

public sealed class JournalTests
{
    private static readonly Guid CallId = Guid.Parse("01980000-0000-7000-8000-0000000000cc");
    private static readonly string Stream = Streams.Call(CallId);
    private static readonly DateTimeOffset At = Given.Now;
    private static readonly CallReceived Received = new(At, "abc@host", "+905321112233", "", "1001", CallDirection.Inbound, "udp", "127.0.0.1:5060");
    private static readonly CallAnswered Answered = new(At, 900);
    private static readonly CallEnded Ended = new(At, CallEndReason.Normal, HungUpBy.Caller, 200, 16, true, 900, 5_000, 5_000);
    private static readonly PlaybackFinished Played = new(At, "p1", 800);
    private static readonly RecordingAvailable Recording = new(At, "file:x.wav", "wav", 5_000, 80_044, "00");
    private static readonly MediaQualityMeasured Quality = new(At, true, "PCMU", 1, 1, 1, 0, 0, 0, 0, 0, 4.4, 20);
    private static readonly SipMessageLogged Logged = new(At, true, "udp", "127.0.0.1:5060", "BYE", 300);

    [Fact]
    public async Task A_call_is_told_in_order()
    {
        using var world = new World();
        await TellAsync(world, Received, Answered, Played, Ended);
        Assert.Equal(["call_received", "call_answered", "playback_finished", "call_ended"], await world.StreamAsync(Stream));
        var first = (await world.LogAsync())[0];
        Assert.Equal(("media", (DateTimeOffset?)At), (first.Metadata.Actor, first.Metadata.OccurredAt));
    }

    [Fact]
    public async Task A_fact_reported_twice_is_stored_once()
    {
        using var world = new World();
        JournalEntry[] report = [Entry(Received), Entry(Played), Entry(Played)];
        report = [.. report, report[1]];
        await AppendAsync(world, report);
        await AppendAsync(world, report);
        Assert.Equal(["call_received", "playback_finished", "playback_finished"], await world.StreamAsync(Stream));
    }

    [Fact]
    public async Task A_fact_is_known_after_a_restart()
    {
        using var world = new World();
        JournalEntry[] report = [Entry(Received), Entry(Played)];
        await AppendAsync(world, report);
        var restarted = new CallJournal(world.Store);
        Assert.True((await restarted.AppendAsync(World.Demo, Stream, report, default)).Ok);
        Assert.Equal(2, (await world.LogAsync()).Count);
    }

    [Fact]
    public async Task A_fact_before_the_call_is_refused_by_name()
    {
        using var world = new World();
        var outcome = await AppendAsync(world, [Entry(Answered)]);
        Assert.Equal(("journal.invalid", "call_answered came before the call itself."), (outcome.Refusal?.Code, outcome.Refusal?.Why));
        Assert.Empty(await world.LogAsync());
    }

    // D5
    [Fact]
    public async Task A_call_is_answered_and_ended_once()
    {
        using var world = new World();
        await TellAsync(world, Received, Answered, Answered, Ended);
        await TellAsync(world, Ended with { Reason = CallEndReason.MediaTimeout });
        Assert.Equal(["call_received", "call_answered", "call_ended"], await world.StreamAsync(Stream));
    }

    [Fact]
    public async Task After_the_end_come_only_the_recording_the_quality_and_the_last_message()
    {
        using var world = new World();
        await TellAsync(world, Received, Ended, Recording, Quality, Logged);
        var late = await AppendAsync(world, [Entry(Played)]);
        Assert.Equal("playback_finished came after the end of the call.", late.Refusal?.Why);
        Assert.Equal(["call_received", "call_ended", "recording_available", "media_quality", "sip_message_logged"], await world.StreamAsync(Stream));
    }

    [Fact]
    public async Task The_end_is_stored_even_when_something_late_came_with_it()
    {
        using var world = new World();
        await TellAsync(world, Received);
        var outcome = await AppendAsync(world, [Entry(Ended), Entry(Played), Entry(Recording)]);
        Assert.Equal("journal.invalid", outcome.Refusal?.Code);
        Assert.Equal(["call_received", "call_ended", "recording_available"], await world.StreamAsync(Stream));
    }

    [Fact]
    public async Task Two_roles_may_report_at_once()
    {
        using var world = new World();
        await TellAsync(world, Received);
        var other = new CallJournal(world.Store);
        await Task.WhenAll(
            Task.Run(async () => { for (var i = 0; i < 50; i++) await TellAsync(world, Played); }),
            Task.Run(async () => { for (var i = 0; i < 50; i++) Assert.True((await other.AppendAsync(World.Demo, Stream, [Entry(Logged)], default)).Ok); }));
        Assert.Equal(101, (await world.LogAsync()).Count);
    }

    [Fact]
    public async Task A_chat_is_a_call_without_a_phone()
    {
        using var world = new World();
        var stream = Streams.Chat(CallId);
        var started = new ChatStarted(At, "clinic", new("Clinic", "tr", "Merhaba.", "", [], true, []), "tr", null);
        Assert.Equal("journal.invalid", (await world.Journal.AppendAsync(World.Demo, stream, [Entry(Played)], default)).Refusal?.Code);
        Assert.True((await world.Journal.AppendAsync(World.Demo, stream, [Entry(started), Entry(Played), Entry(new ChatEnded(At, CallEndReason.Normal))], default)).Ok);
        Assert.Equal(["chat_started", "playback_finished", "chat_ended"], await world.StreamAsync(stream));
    }

    [Fact]
    public async Task Registrations_have_their_own_stream()
    {
        using var world = new World();
        var stream = Streams.Registration("sentiric", "ayse");
        var registered = Entry(new SipRegistered(At, "sip:ayse@sentiric", "sip:ayse@127.0.0.1:5070", 3600, "phone"));
        Assert.True((await world.Journal.AppendAsync(World.Demo, stream, [registered, registered], default)).Ok);
        Assert.Equal(["sip_registered"], await world.StreamAsync(stream));
        Assert.Equal("journal.invalid", (await world.Journal.AppendAsync(World.Demo, Stream, [registered], default)).Refusal?.Code);
    }

    [Theory]
    [InlineData("user-01980000-0000-7000-8000-0000000000cc")]
    [InlineData("call-not-an-id")]
    [InlineData("")]
    public async Task No_other_stream_is_written_through_the_journal(string stream)
    {
        using var world = new World();
        Assert.Equal("journal.invalid", (await world.Journal.AppendAsync(World.Demo, stream, [Entry(Received)], default)).Refusal?.Code);
    }

    [Fact]
    public async Task No_business_event_is_written_through_the_journal()
    {
        using var world = new World();
        var outcome = await AppendAsync(world, [Entry(Received), Entry(new UserDisabled(At, Guid.NewGuid(), "x")), Entry("not an event")]);
        Assert.Equal("journal.invalid", outcome.Refusal?.Code);
        Assert.Empty(await world.LogAsync());
    }

    private static JournalEntry Entry(object fact) => new(Guid.CreateVersion7(), fact, "media");

    private static ValueTask<Result<Done>> AppendAsync(World world, JournalEntry[] report) => world.Journal.AppendAsync(World.Demo, Stream, report, default);

    private static async Task TellAsync(World world, params IFact[] facts)
    {
        var outcome = await AppendAsync(world, [.. facts.Select(Entry)]);
        Assert.True(outcome.Ok, outcome.Refusal?.Why);
    }
}
