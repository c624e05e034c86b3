using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts.Events;
using Sentiric.Sip;
using Sentiric.Testing;

namespace Sentiric.Calls.Tests;

public sealed class ClimbingTheLadder
{
    private static readonly IPEndPoint Peer = new(IPAddress.Loopback, 5090);
    private readonly JournalRecorder _journal = new();
    private readonly ManualTime _clock = new();
    private readonly SipLadder _ladder = new();

    [Fact]
    public async Task Messages_that_came_before_the_call_existed_come_first()
    {
        await using var writer = Writer();
        var log = Log(writer);
        _ladder.Trace(Message("a", "INVITE sip:1001@127.0.0.1 SIP/2.0", SipTraceDirection.Received));
        _ladder.Trace(Message("a", "SIP/2.0 100 Trying", SipTraceDirection.Sent));
        _ladder.Trace(Message("b", "OPTIONS sip:127.0.0.1 SIP/2.0", SipTraceDirection.Received));
        _ladder.Follow("a", log);
        _ladder.Trace(Message("a", "SIP/2.0 180 Ringing", SipTraceDirection.Sent));

        await _journal.UntilAsync(n => n.Fact is SipMessageLogged { Summary: "180 Ringing" }, "180");
        Assert.Equal(
            [("INVITE sip:1001@127.0.0.1", true), ("100 Trying", false), ("180 Ringing", false)],
            _journal.All.Select(n => (SipMessageLogged)n.Fact).Select(m => (m.Summary, m.Inbound)));
    }

    [Fact]
    public async Task After_the_call_its_messages_are_nobodys()
    {
        await using var writer = Writer();
        var log = Log(writer);
        _ladder.Follow("a", log);
        _ladder.Trace(Message("a", "BYE sip:x SIP/2.0", SipTraceDirection.Received));
        _ladder.Forget("a");
        _ladder.Trace(Message("a", "SIP/2.0 200 OK", SipTraceDirection.Sent));
        log.Note(new CallRinging(_clock.GetUtcNow()));
        await _journal.UntilAsync<CallRinging>();
        Assert.Equal("BYE sip:x", Assert.Single(_journal.All.Select(n => n.Fact).OfType<SipMessageLogged>()).Summary);
    }

    [Fact]
    public async Task A_flood_of_unknown_calls_costs_a_bounded_number_and_no_running_call()
    {
        await using var writer = Writer();
        var log = Log(writer);
        _ladder.Trace(Message("mine", "INVITE sip:1 SIP/2.0", SipTraceDirection.Received));
        _ladder.Follow("mine", log);
        _ladder.Trace(Message("first", "INVITE sip:2 SIP/2.0", SipTraceDirection.Received));
        for (var n = 0; n < 5_000; n++)
        {
            _ladder.Trace(Message($"scan-{n}", "OPTIONS sip:x SIP/2.0", SipTraceDirection.Received));
        }

        _ladder.Follow("first", log);
        _ladder.Trace(Message("mine", "BYE sip:1 SIP/2.0", SipTraceDirection.Received));
        await _journal.UntilAsync(n => n.Fact is SipMessageLogged { Summary: "BYE sip:1" }, "the BYE");
        Assert.Equal(["INVITE sip:1", "BYE sip:1"], _journal.All.Select(n => ((SipMessageLogged)n.Fact).Summary));
    }

    [Fact]
    public async Task A_call_that_talks_without_end_fills_no_stream()
    {
        await using var writer = Writer();
        var log = Log(writer);
        _ladder.Follow("a", log);
        for (var n = 0; n < 1_000; n++)
        {
            _ladder.Trace(Message("a", "INFO sip:x SIP/2.0", SipTraceDirection.Received));
        }

        log.Note(new CallRinging(_clock.GetUtcNow()));
        await _journal.UntilAsync<CallRinging>();
        Assert.Equal(200, _journal.All.Count(n => n.Fact is SipMessageLogged));
    }

    [Fact]
    public async Task A_ladder_that_keeps_messages_keeps_them_masked()
    {
        await using var writer = Writer();
        var (ladder, log) = (new SipLadder(keepsMessages: true), Log(writer));
        var text = "INVITE sip:1 SIP/2.0\r\nCall-ID: a\r\nAuthorization: secret\r\n\r\n";
        ladder.Trace(new(SipTraceDirection.Received, SipTransportKind.Tls, new(IPAddress.Loopback, 5061), Peer, _clock.GetUtcNow(), Encoding.ASCII.GetBytes(text)));
        ladder.Follow("a", log);
        await _journal.UntilAsync(n => n.Fact is SipMessageLogged, "the INVITE");
        Assert.Equal(
            new SipMessageLogged(_clock.GetUtcNow(), true, "tls", Peer.ToString(), "INVITE sip:1", text.Length, "127.0.0.1:5061", text.Replace("secret", "******", StringComparison.Ordinal)),
            _journal.All.Select(n => n.Fact).OfType<SipMessageLogged>().Single());
    }

    [Fact]
    public async Task A_ladder_keeps_no_more_of_a_message_or_a_call_than_it_says()
    {
        await using var writer = Writer();
        var (ladder, log) = (new SipLadder(keepsMessages: true), Log(writer));
        ladder.Follow("a", log);
        for (var n = 0; n < 50; n++)
        {
            ladder.Trace(Message("a", "INFO sip:x SIP/2.0", SipTraceDirection.Received, body: 20_000));
        }

        log.Note(new CallRinging(_clock.GetUtcNow()));
        await _journal.UntilAsync<CallRinging>();
        var all = _journal.All.Select(n => n.Fact).OfType<SipMessageLogged>().ToList();
        var kept = all.Where(m => m.Text is not null).ToList();
        Assert.Equal((50, SipLadder.MaxKeptBytesPerCall / 2 / SipLadder.MaxKeptBytes), (all.Count, kept.Count));
        Assert.All(kept, m => Assert.Equal(SipLadder.MaxKeptBytes, m.Text?.Length));
        Assert.All(all, m => Assert.True(m.Bytes > 20_000));
    }

    [Fact]
    public async Task A_flood_of_unknown_calls_fills_no_memory_with_texts_and_gives_it_back()
    {
        await using var writer = Writer();
        var (ladder, log) = (new SipLadder(keepsMessages: true), Log(writer));
        var fit = SipLadder.MaxWaitingBytes / 2 / SipLadder.MaxKeptBytes;
        for (var n = 0; n <= fit; n++)
        {
            ladder.Trace(Message($"scan-{n}", "OPTIONS sip:x SIP/2.0", SipTraceDirection.Received, body: 20_000));
        }

        ladder.Follow($"scan-{fit}", log);
        ladder.Forget("scan-0");
        ladder.Trace(Message("next", "OPTIONS sip:x SIP/2.0", SipTraceDirection.Received, body: 20_000));
        ladder.Follow("next", log);
        log.Note(new CallRinging(_clock.GetUtcNow()));
        await _journal.UntilAsync<CallRinging>();
        Assert.Equal([false, true], _journal.All.Select(n => n.Fact).OfType<SipMessageLogged>().Select(m => m.Text is not null));
    }

    private FactWriter Writer() => new(_journal, _clock, NullLogger<FactWriter>.Instance);

    private static CallLog Log(FactWriter writer)
    {
        var log = new CallLog(writer, Guid.NewGuid(), "sip");
        log.BelongsTo("demo");
        return log;
    }

    private SipTrace Message(string callId, string line, SipTraceDirection direction, int body = 0) =>
        new(direction, SipTransportKind.Udp, Peer, Peer, _clock.GetUtcNow(), Encoding.ASCII.GetBytes($"{line}\r\nCall-ID: {callId}\r\n\r\n{new string('x', body)}"));
}
