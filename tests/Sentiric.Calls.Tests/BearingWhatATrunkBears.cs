using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Calls.Media;
using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Media;
using Sentiric.Sip;
using Sentiric.Testing.Loopback;

namespace Sentiric.Calls.Tests;

/// <summary>Calls over a trunk with a profile, from the INVITE on the wire to the SDP that the real media role makes.</summary>
public sealed class BearingWhatATrunkBears : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sentiric-trunk-").FullName;
    private FactWriter _facts = null!;
    private MediaEngine _engine = null!;
    private MediaSessions _media = null!;

    public Task InitializeAsync()
    {
        _facts = new FactWriter(new JournalRecorder(), TimeProvider.System, NullLogger<FactWriter>.Instance);
        _engine = new MediaEngine(new MediaEngineOptions());
        var shelf = new RecordingShelf(new RecordingPlace(_folder), new OneKey(), _facts, TimeProvider.System, NullLogger<RecordingShelf>.Instance);
        _media = new MediaSessions(_engine, _facts, shelf, TimeProvider.System, NullLogger<MediaSessions>.Instance);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _facts.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("", true, "0 101", "PCMU")]
    [InlineData("", false, "0", "PCMU")]
    [InlineData("PCMA", true, "8 101", "PCMA")]
    [InlineData("PCMA", false, "8", "PCMA")]
    public async Task An_INVITE_is_answered_with_what_the_profile_leaves(string codecs, bool events, string answered, string told)
    {
        await using var board = await StartAsync(codecs, events);
        var phone = board.Phone();
        phone.Invite(Offer("0 8 101"));
        var ok = await phone.HearAsync("200", "INVITE");
        Assert.Equal(answered, FormatsOf(ok));
        Assert.Equal(events, ok.Contains("telephone-event", StringComparison.Ordinal));
        phone.Ack();
        await board.Journal.UntilAsync<CallStarted>();
        Assert.Equal(told, board.Journal.All.Select(n => n.Fact).OfType<MediaStarted>().Single().Codec);
        phone.Bye();
        await board.EndedAsync();
    }

    [Theory]
    [InlineData("PCMA", "0 101")]
    [InlineData("PCMU", "8 18")]
    [InlineData("G729", "18 8 0")]
    public async Task When_nothing_fits_the_profile_the_INVITE_is_488(string codecs, string offered)
    {
        await using var board = await StartAsync(codecs, true);
        var phone = board.Phone();
        phone.Invite(Offer(offered));
        await phone.HearAsync("488", "INVITE");
        phone.Ack();
        Assert.Equal(CallEndReason.NoCommonCodec, Assert.IsType<CallEnded>((await board.EndedAsync())[^1]).Reason);
    }

    [Fact]
    public async Task The_profile_holds_in_a_later_offer_of_theirs_too()
    {
        await using var board = await StartAsync("PCMA", false);
        var phone = board.Phone();
        phone.Invite(Offer("0 8 101"));
        await phone.HearAsync("200", "INVITE");
        phone.Ack();
        await board.Journal.UntilAsync<CallStarted>();
        phone.Update(Offer("0 8 101"), 2);
        Assert.Equal("8", FormatsOf(await phone.HearAsync("200", "UPDATE")));
        phone.Update(Offer("0 101"), 3);
        await phone.HearAsync("488", "UPDATE");
        phone.Bye(4);
        await board.EndedAsync();
    }

    [Theory]
    [InlineData("PCMU,PCMA", false, "0 8")]
    [InlineData("PCMA", true, "8 101")]
    [InlineData("", true, "8 0 9 101")]
    public async Task An_INVITE_without_an_offer_hears_what_the_profile_leaves_in_its_order(string codecs, bool events, string offered)
    {
        await using var board = await StartAsync(codecs, events);
        var phone = board.Phone();
        phone.Invite(sdp: null);
        Assert.Equal(offered, FormatsOf(await phone.HearAsync("200", "INVITE")));
        phone.Ack(sdp: Offer("8 0 101"));
        await board.Journal.UntilAsync<CallStarted>();
        // A re-INVITE without one as well.
        phone.Invite(sdp: null, cseq: 2);
        string again;
        do
        {
            again = await phone.HearAsync("200", "INVITE");
        }
        while (!again.Contains("CSeq: 2 INVITE", StringComparison.Ordinal));

        Assert.Equal(offered, FormatsOf(again));
        phone.Ack(2, Offer("8 0 101"));
        phone.Bye(3);
        await board.EndedAsync();
    }

    [Fact]
    public async Task A_profile_without_any_codec_of_ours_can_offer_nothing()
    {
        await using var board = await StartAsync("G729", true);
        var phone = board.Phone();
        phone.Invite(sdp: null);
        await phone.HearAsync("488", "INVITE");
        phone.Ack();
        await board.EndedAsync();
        Assert.Equal(0, _engine.OpenSessions);
    }

    [Fact]
    public async Task A_caller_who_came_over_no_trunk_is_not_narrowed()
    {
        await using var board = await StartAsync("PCMA", false, source: "127.0.0.99/32");
        var phone = board.Phone();
        phone.Invite(Offer("0 8 101"));
        Assert.Equal("0 101", FormatsOf(await phone.HearAsync("200", "INVITE")));
        phone.Ack();
        await board.Journal.UntilAsync<CallStarted>();
        phone.Bye();
        await board.EndedAsync();
    }

    [Fact]
    public async Task A_trunk_is_reported_with_its_calls_and_without_secrets()
    {
        await using var board = await Switchboard.StartAsync(trunks: new TrunkTable(
        [
            new SipTrunk
            {
                Name = "carrier", Sources = [IPNetwork.Parse("127.0.0.1/32")], Target = SipUri.Parse("sip:us:gizli@carrier.example:5070;transport=tcp?Subject=x"),
                Credentials = new SipCredentials("us", "gizli"),
            },
            new SipTrunk { Name = "other", Sources = [IPNetwork.Parse("127.0.0.7/32")] },
        ]));
        var phone = await board.AnsweredAsync();
        Assert.Equal(
        [
            new TrunkReport("carrier", "sip:carrier.example:5070;transport=tcp", TrunkCondition.Unknown, null, null, null, 1),
            new TrunkReport("other", null, TrunkCondition.Unknown, null, null, null, 0),
        ], await board.Role.ListAsync(CancellationToken.None));
        phone.Bye();
        await board.EndedAsync();
        using var limit = new CancellationTokenSource(Soon.Patience);
        while ((await board.Role.ListAsync(CancellationToken.None))[0].Calls > 0)
        {
            Assert.False(limit.IsCancellationRequested, "Waited for the call to be counted no more.");
            await Task.Yield();
        }
    }

    private Task<Switchboard> StartAsync(string codecs, bool events, string source = "127.0.0.1/32") => Switchboard.StartAsync(media: _media, trunks: new TrunkTable(
    [
        new SipTrunk
        {
            Name = "carrier",
            Sources = [IPNetwork.Parse(source)],
            Profile = new TrunkProfile { Codecs = codecs.Split(',', StringSplitOptions.RemoveEmptyEntries), TelephoneEvent = events },
        },
    ]));

    private static string Offer(string formats) =>
        $"v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP {formats}\r\na=rtpmap:101 telephone-event/8000\r\n";

    private static string FormatsOf(string message)
    {
        var line = message.Split("\r\n").Single(l => l.StartsWith("m=audio", StringComparison.Ordinal));
        return string.Join(' ', line.Split(' ')[3..]);
    }
}
