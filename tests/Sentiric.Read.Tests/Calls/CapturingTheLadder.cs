using System.Buffers.Binary;
using System.Net;
using System.Text;
using Sentiric.Contracts.Events;
using Sentiric.Read.Calls;
using Sentiric.Read.Tests.Kit;
using Sentiric.Testing.Platform;

namespace Sentiric.Read.Tests.Calls;

public sealed class CapturingTheLadder(ReadWorld world) : IClassFixture<ReadWorld>
{
    private static readonly DateTimeOffset Began = new DateTimeOffset(2026, 11, 17, 7, 30, 0, TimeSpan.Zero).AddTicks(1_234_560);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_call_is_a_capture_with_a_packet_for_every_kept_message()
    {
        var (call, ladder) = (Guid.CreateVersion7(), Ladder("udp", "203.0.113.7:5062", "192.0.2.1:5060"));
        await world.TellAsync("demo", Streams.Call(call), [.. ladder, new SipMessageLogged(Began.AddSeconds(9), true, "udp", "203.0.113.7:5062", "INFO sip:x", 400)]);

        using var response = await world.AskAsync("demo", $"/calls/{call}/sip.pcap");
        Assert.Equal((HttpStatusCode.OK, "application/vnd.tcpdump.pcap"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        Assert.Equal($"{call}.pcap", response.Content.Headers.ContentDisposition?.FileName);
        Assert.Equal("1", Assert.Single(response.Headers.GetValues(SipCaptures.LeftOutHeader)));
        var packets = Packets(await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(ladder.Select(m => m.Text), packets.Select(p => p.Text));
        Assert.Equal(ladder.Select(m => m.At), packets.Select(p => p.At));
        Assert.Equal(["203.0.113.7:5062>192.0.2.1:5060", "192.0.2.1:5060>203.0.113.7:5062", "192.0.2.1:5060>203.0.113.7:5062", "203.0.113.7:5062>192.0.2.1:5060"], packets.Select(p => p.Way));
    }

    [Theory]
    [InlineData("203.0.113.7:5062", "192.0.2.1:5060")]
    [InlineData("[2001:db8::7]:5062", "[2001:db8::1]:5061")]
    [InlineData("[::ffff:203.0.113.7]:5062", "[::]:5060")]
    [InlineData("[2001:db8::7]:5062", "[::]:5060")]
    public void Every_length_has_right_checksums(string remote, string local)
    {
        var dice = new Random(7);
        for (var length = 0; length < 300; length++)
        {
            var payload = new byte[length];
            dice.NextBytes(payload);
            var whole = new PcapFile.Datagram(Began, IPEndPoint.Parse(remote), Given(local, remote), payload, length);
            // Packets() proves both checksums.
            Assert.Equal(payload, Assert.Single(Packets(PcapFile.Of([whole]))).Payload);
        }
    }

    [Fact]
    public void A_cut_message_says_how_long_it_was()
    {
        var cut = new PcapFile.Datagram(Began, IPEndPoint.Parse("203.0.113.7:1"), IPEndPoint.Parse("192.0.2.1:2"), new byte[100], 9_000);
        var packet = Assert.Single(Packets(PcapFile.Of([cut])));
        Assert.Equal((100, 9_000 + 28), (packet.Payload.Length, packet.WireLength));
        var huge = Assert.Single(Packets(PcapFile.Of([cut with { WireLength = 200_000 }])));
        Assert.Equal(ushort.MaxValue, huge.WireLength);
    }

    [Trait("Category", "Slow")]
    [TsharkTheory]
    [InlineData("udp", "203.0.113.7:5062", "192.0.2.1:5060")]
    [InlineData("tls", "203.0.113.7:40022", "192.0.2.1:5061")]
    [InlineData("wss", "[2001:db8::7]:40022", "[2001:db8::1]:8443")]
    public async Task Tshark_reads_the_call_and_finds_nothing_wrong(string transport, string remote, string local)
    {
        var call = Guid.CreateVersion7();
        await world.TellAsync("demo", Streams.Call(call), [.. Ladder(transport, remote, local)]);
        using var response = await world.AskAsync("demo", $"/calls/{call}/sip.pcap");
        var file = Path.Combine(world.RecordingFolder, call + ".pcap");
        await File.WriteAllBytesAsync(file, await response.Content.ReadAsByteArrayAsync());
        var (code, output, error) = await Programs.RunAsync(
            "tshark",
            [
                "-r", file, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=|",
                "-e", "frame.time_epoch", "-e", "sip.Call-ID", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "udp.srcport", "-e", "udp.checksum.status", "-e", "_ws.malformed",
            ],
            Limit);
        Assert.True(code == 0, error);
        var (theirs, ours) = (IPEndPoint.Parse(remote).Port, IPEndPoint.Parse(local).Port);
        var seconds = Began.ToUnixTimeSeconds();
        Assert.Equal(
        [
            $"{seconds}.123456000|a84b4c76e66710@pbx|INVITE||{theirs}|1|", $"{seconds}.124456000|a84b4c76e66710@pbx||100|{ours}|1|",
            $"{seconds}.243456000|a84b4c76e66710@pbx||200|{ours}|1|", $"{seconds}.283456000|a84b4c76e66710@pbx|ACK||{theirs}|1|",
        ],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task D41_another_tenant_gets_no_capture_and_neither_does_nobody()
    {
        var call = Guid.CreateVersion7();
        await world.TellAsync("demo", Streams.Call(call), [.. Ladder("udp", "203.0.113.7:5062", "192.0.2.1:5060")]);
        Assert.Equal("call.unknown", await world.RefusedAsync("other", $"/calls/{call}/sip.pcap"));
        Assert.Equal("auth.missing_tenant", await world.RefusedAsync("", $"/calls/{call}/sip.pcap", HttpStatusCode.Unauthorized));
        Assert.Equal("call.unknown", await world.RefusedAsync("demo", $"/calls/{Guid.NewGuid()}/sip.pcap"));
    }

    [Fact]
    public async Task A_call_whose_messages_are_not_kept_says_so()
    {
        var call = Guid.CreateVersion7();
        // The second one is what is left of a message whose sender was forgotten.
        await world.TellAsync(
            "demo", Streams.Call(call), new SipMessageLogged(Began, true, "udp", "203.0.113.7:5062", "INVITE sip:x", 700),
            new SipMessageLogged(Began, true, "udp", "[erased]", "[erased]", 700, "192.0.2.1:5060"));
        Assert.Equal("capture.unknown", await world.RefusedAsync("demo", $"/calls/{call}/sip.pcap"));
    }

    private static SipMessageLogged[] Ladder(string transport, string remote, string local) =>
    [
        Message(0, true, "INVITE sip:1001@192.0.2.1 SIP/2.0", "INVITE", transport, remote, local), Message(1, false, "SIP/2.0 100 Trying", "INVITE", transport, remote, local),
        Message(120, false, "SIP/2.0 200 OK", "INVITE", transport, remote, local), Message(160, true, "ACK sip:1001@192.0.2.1 SIP/2.0", "ACK", transport, remote, local),
    ];

    private static SipMessageLogged Message(int ms, bool inbound, string line, string method, string transport, string remote, string local)
    {
        var text = $"{line}\r\nVia: SIP/2.0/{transport.ToUpperInvariant()} 203.0.113.7:5062;branch=z9hG4bK-1\r\nFrom: \"Ayşe\" <sip:905321112233@pbx>;tag=1\r\nTo: <sip:1001@192.0.2.1>\r\n"
            + $"Call-ID: a84b4c76e66710@pbx\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n";
        return new(Began.AddMilliseconds(ms), inbound, transport, remote, line, Encoding.UTF8.GetByteCount(text), local, text);
    }

    private static IPEndPoint Given(string local, string remote) =>
        local.StartsWith("[::]", StringComparison.Ordinal) && remote.Contains("ffff", StringComparison.Ordinal) ? new(IPAddress.Any, 5060) : IPEndPoint.Parse(local);

    /// <summary>The file as RFC 791, 8200 and 768 say how to read it; wrong lengths and checksums fail.</summary>
    private static List<Packet> Packets(byte[] file)
    {
        Assert.Equal("D4C3B2A1020004000000000000000000" + "00000400" + "65000000", Convert.ToHexString(file.AsSpan(0, 24)));
        var packets = new List<Packet>();
        for (var at = 24; at < file.Length;)
        {
            var (kept, wire) = (Little(file, at + 8), Little(file, at + 12));
            packets.Add(Read(file.AsSpan(at + 16, kept), wire, DateTimeOffset.FromUnixTimeSeconds(Little(file, at)).AddMicroseconds(Little(file, at + 4))));
            at += 16 + kept;
        }

        return packets;
    }

    private static Packet Read(ReadOnlySpan<byte> packet, int wire, DateTimeOffset at)
    {
        var four = packet[0] >> 4 == 4;
        var header = four ? 20 : 40;
        var from = four ? packet[12..16] : packet[8..24];
        var to = four ? packet[16..20] : packet[24..40];
        var udp = packet[header..];
        var length = BinaryPrimitives.ReadUInt16BigEndian(udp[4..]);
        Assert.Equal(four ? wire : wire - 40, BinaryPrimitives.ReadUInt16BigEndian(packet[(four ? 2 : 4)..]));
        Assert.Equal(wire - header, length);
        Assert.Equal(17, packet[four ? 9 : 6]);
        if (four)
        {
            Assert.Equal(0xFFFF, Ones(packet[..20]));
        }

        Assert.Equal(0xFFFF, Ones([.. from, .. to, 0, 17, .. udp[4..6], .. udp]));
        string End(ReadOnlySpan<byte> address, ushort port) => new IPEndPoint(new IPAddress(address), port).ToString();
        return new(at, $"{End(from, BinaryPrimitives.ReadUInt16BigEndian(udp))}>{End(to, BinaryPrimitives.ReadUInt16BigEndian(udp[2..]))}", udp[8..].ToArray(), wire);
    }

    /// <summary>The one's complement sum of a packet with its checksum is all ones.</summary>
    private static int Ones(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        for (var n = 0; n < bytes.Length; n++)
        {
            sum += n % 2 == 0 ? bytes[n] << 8 : bytes[n];
            sum = (sum & 0xFFFF) + (sum >> 16);
        }

        return sum;
    }

    private static int Little(byte[] file, int at) => BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at));

    private sealed record Packet(DateTimeOffset At, string Way, byte[] Payload, int WireLength)
    {
        public string Text => Encoding.UTF8.GetString(Payload);
    }

    private sealed class TsharkTheoryAttribute : TheoryAttribute
    {
        public TsharkTheoryAttribute() => Skip = Programs.Find("tshark") is null ? "tshark is not installed." : null;
    }
}
