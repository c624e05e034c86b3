using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts.Events;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests;

public sealed class WritingFacts
{
    private static readonly DateTimeOffset At = new(2026, 11, 17, 7, 0, 0, TimeSpan.Zero);
    private readonly ManualTime _clock = new();
    private readonly JournalRecorder _journal = new();

    [Fact]
    public async Task Facts_arrive_in_the_order_in_which_they_were_told_over_all_streams()
    {
        await using var writer = Writer();
        for (var n = 0; n < 1_000; n++)
        {
            Assert.True(writer.Write("demo", $"call-{n % 3}", new DtmfReceived(At, $"{n}", 0), "sip"));
        }

        await _journal.UntilAsync(n => n.Fact is DtmfReceived { Digit: "999" }, "the last digit");
        Assert.Equal(Enumerable.Range(0, 1_000).Select(n => $"{n}"), Digits());
        Assert.Equal(1_000, _journal.All.Select(n => n.EventId).Distinct().Count());
    }

    [Fact]
    public async Task Neighbours_of_one_stream_go_in_one_append()
    {
        var hold = new TaskCompletionSource();
        _journal.Before = _ => hold.Task;
        await using var writer = Writer();
        for (var n = 0; n < 100; n++)
        {
            writer.Write("demo", "call-1", new DtmfReceived(At, $"{n}", 0), "sip");
        }

        hold.SetResult();
        await _journal.UntilAsync(n => n.Fact is DtmfReceived { Digit: "99" }, "the last digit");
        Assert.InRange(_journal.Appends, 1, 3);
    }

    [Fact]
    public async Task D39_while_the_journal_is_down_nothing_is_lost_or_doubled()
    {
        var tries = 0;
        _journal.Before = _ => ++tries <= 6 ? throw new IOException("down") : Task.CompletedTask;
        await using var writer = Writer();
        writer.Write("demo", "call-1", new DtmfReceived(At, "1", 0), "sip");
        writer.Write("demo", "call-2", new DtmfReceived(At, "2", 0), "sip");

        // 100, 200, 400, 800, 1600, 3200 ms: the sixth wait is the last.
        foreach (var ms in new[] { 100, 200, 400, 800, 1_600, 3_200 })
        {
            await TimerAsync();
            Assert.Empty(_journal.All);
            _clock.Advance(TimeSpan.FromMilliseconds(ms));
        }

        await _journal.UntilAsync(n => n.Fact is DtmfReceived { Digit: "2" }, "the second digit");
        Assert.Equal(["1", "2"], Digits());
        Assert.Equal(8, tries);
    }

    [Fact]
    public async Task A_full_queue_refuses_new_calls_before_it_loses_facts()
    {
        _journal.Before = ct => Task.Delay(Timeout.Infinite, ct);
        var writer = Writer();
        var written = 0;
        while (writer.Write("demo", "call-1", new CallRinging(At), "sip"))
        {
            written++;
            Assert.True(written <= FactWriter.MaxWaiting + 500, "The queue has no bound.");
        }

        Assert.True(writer.IsFull);
        Assert.InRange(written, FactWriter.MaxWaiting, FactWriter.MaxWaiting + 500);

        var stopped = writer.DisposeAsync().AsTask();
        _clock.Advance(TimeSpan.FromSeconds(5));
        await Soon.Within(stopped, "the writer to give up after five seconds");
    }

    [Fact]
    public async Task Stopping_writes_what_waits()
    {
        var writer = Writer();
        for (var n = 0; n < 500; n++)
        {
            writer.Write("demo", $"call-{n}", new DtmfReceived(At, $"{n}", 0), "sip");
        }

        await Soon.Within(writer.DisposeAsync().AsTask(), "the writer to stop");
        Assert.Equal(500, _journal.All.Count);
        Assert.False(writer.Write("demo", "call-1", new CallRinging(At), "sip"));
    }

    [Fact]
    public async Task Stopping_while_the_journal_is_broken_comes_to_an_end()
    {
        _journal.Before = _ => throw new IOException("down");
        var writer = Writer();
        writer.Write("demo", "call-1", new CallRinging(At), "sip");
        writer.Write("demo", "call-2", new CallRinging(At), "sip");
        await TimerAsync();
        var stopped = writer.DisposeAsync().AsTask();
        _clock.Advance(TimeSpan.FromSeconds(5));
        await Soon.Within(stopped, "the writer to give up");
        Assert.Empty(_journal.All);
    }

    [Fact]
    public async Task Facts_wait_in_the_log_of_a_call_until_its_tenant_is_known()
    {
        await using var writer = Writer();
        var id = Guid.NewGuid();
        var log = new CallLog(writer, id, "sip");
        log.Note(new DtmfReceived(At, "1", 0));
        Assert.Equal(CallLog.NobodysTenant, log.Tenant);
        log.BelongsTo("demo");
        log.BelongsTo("other");
        log.Note(new DtmfReceived(At, "2", 0));
        await _journal.UntilAsync(n => n.Fact is DtmfReceived { Digit: "2" }, "the second digit");
        Assert.Equal(["1", "2"], Digits());
        Assert.All(_journal.All, n => Assert.Equal(("demo", Streams.Call(id)), (n.Tenant, n.Stream)));
        Assert.Equal("demo", log.Tenant);
    }

    [Fact]
    public async Task A_call_without_a_tenant_keeps_a_bounded_number_of_facts()
    {
        await using var writer = Writer();
        var log = new CallLog(writer, Guid.NewGuid(), "sip");
        for (var n = 0; n < 10_000; n++)
        {
            log.Note(new DtmfReceived(At, $"{n}", 0));
        }

        log.BelongsTo("demo");
        log.Note(new CallRinging(At));
        await _journal.UntilAsync<CallRinging>();
        Assert.Equal(Enumerable.Range(0, 200).Select(n => $"{n}"), Digits());
    }

    private FactWriter Writer() => new(_journal, _clock, NullLogger<FactWriter>.Instance);

    private IEnumerable<string> Digits() => _journal.All.Select(n => n.Fact).OfType<DtmfReceived>().Select(d => d.Digit);

    private async Task TimerAsync()
    {
        using var limit = new CancellationTokenSource(Soon.Patience);
        while (_clock.Waiting == 0)
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the writer to wait before it tries again.");
            await Task.Yield();
        }
    }
}
