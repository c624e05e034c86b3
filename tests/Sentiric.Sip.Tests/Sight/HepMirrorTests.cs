using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;

namespace Sentiric.Sip.Tests.Sight;

public sealed class HepMirrorTests : IDisposable
{
    private readonly UdpClient server = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly ManualTime time = new();

    public void Dispose() => server.Dispose();

    [Fact]
    public async Task Every_message_of_a_real_exchange_reaches_the_capture_server()
    {
        await using HepMirror mirror = Mirror(Options() with { CaptureId = 7, Password = "geheim" });
        await using SipEndpoint answering = await SipEndpoint.StartAsync(new SipEndpointOptions { Listen = [SipListen.Udp()] }, new Mirrored(mirror));
        await using SipEndpoint asking = await SipEndpoint.StartAsync(new SipEndpointOptions { Listen = [SipListen.Udp()] }, new Mirrored(null));
        IPEndPoint there = answering.Bindings[0].Address, here = asking.Bindings[0].Address;
        await asking.RequestAsync(new OutgoingRequest
        {
            Method = SipMethod.Options, Target = SipUri.Parse($"sip:{there}"), From = NameAddr.Create(null, SipUri.Parse($"sip:me@{here}")), CallId = "mirrored-1",
        });

        IReadOnlyDictionary<int, byte[]> request = await ReceiveAsync(), response = await ReceiveAsync();
        Assert.StartsWith("OPTIONS sip:", Encoding.ASCII.GetString(request[15]));
        Assert.StartsWith("SIP/2.0 200 ", Encoding.ASCII.GetString(response[15]));
        Assert.Equal((here.Port, there.Port), (HepChunks.Number(request[7]), HepChunks.Number(request[8])));
        Assert.Equal((there.Port, here.Port), (HepChunks.Number(response[7]), HepChunks.Number(response[8])));
        Assert.All([request, response], packet => Assert.Equal(
            ("mirrored-1", 7, "geheim", "127.0.0.1", 17, 1),
            (Encoding.ASCII.GetString(packet[17]), HepChunks.Number(packet[12]), Encoding.ASCII.GetString(packet[14]), new IPAddress(packet[3]).ToString(), HepChunks.Number(packet[2]), HepChunks.Number(packet[11]))));
    }

    [Fact]
    public async Task What_waits_when_the_endpoint_stops_is_still_sent()
    {
        HepMirror mirror = Mirror(Options());
        for (int n = 0; n < 20; n++)
        {
            mirror.Mirror(Message($"OPTIONS sip:{n} SIP/2.0"));
        }

        await mirror.DisposeAsync();
        Assert.Equal((20, 0), (mirror.Sent, mirror.Dropped));
        for (int n = 0; n < 20; n++)
        {
            Assert.Equal($"OPTIONS sip:{n} SIP/2.0", Encoding.ASCII.GetString((await ReceiveAsync())[15]));
        }
    }

    [Fact]
    public async Task What_does_not_fit_is_dropped_and_told_and_the_next_one_goes()
    {
        var told = new List<string?>();
        using MeterListener listener = ListenToDrops(told);
        HepMirror mirror = Mirror(Options());
        mirror.Mirror(Message(new string('x', HepMirror.MaxWaitingBytes + 1)));
        mirror.Mirror(Message(new string('x', HepPacket.MaxBytes)));
        mirror.Mirror(Message("BYE sip:x SIP/2.0"));
        await mirror.DisposeAsync();
        mirror.Mirror(Message("late"));
        Assert.Equal((1, 3), (mirror.Sent, mirror.Dropped));
        Assert.Equal("BYE sip:x SIP/2.0", Encoding.ASCII.GetString((await ReceiveAsync())[15]));
        lock (told)
        {
            Assert.Subset(told.ToHashSet(), new HashSet<string?> { "queue_full", "too_long" });
        }
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_costs_messages_and_nothing_else()
    {
        // A broadcast address is not permitted without asking for it.
        HepMirror mirror = Mirror(new HepOptions("255.255.255.255", 9060));
        for (int n = 0; n < HepMirror.MaxWaiting * 3; n++)
        {
            mirror.Mirror(Message("OPTIONS sip:x SIP/2.0"));
        }

        await mirror.DisposeAsync();
        Assert.Equal((0, HepMirror.MaxWaiting * 3), (mirror.Sent, mirror.Dropped));
    }

    /// <summary>The reasons; mirrors of other tests are heard too.</summary>
    private static MeterListener ListenToDrops(List<string?> told)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "sip.hep.dropped")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            lock (told)
            {
                told.Add(tags[0].Value as string);
            }
        });
        listener.Start();
        return listener;
    }

    private HepOptions Options() => new("127.0.0.1", ((IPEndPoint)server.Client.LocalEndPoint!).Port);

    private HepMirror Mirror(HepOptions options) => HepMirror.Start(options, time, NullLogger.Instance);

    private static SipTrace Message(string text) => HepPacketTests.Trace("203.0.113.7:5062", "192.0.2.1:5060", SipTransportKind.Tcp, SipTraceDirection.Received, text);

    private async Task<IReadOnlyDictionary<int, byte[]>> ReceiveAsync() =>
        HepChunks.Of((await Soon.Within(server.ReceiveAsync(), "a packet at the capture server")).Buffer);

    private sealed class Mirrored(HepMirror? mirror) : ISipApplication
    {
        public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping) => invite.RejectAsync(486);

        public void OnTrace(SipTrace trace) => mirror?.Mirror(trace);
    }
}
