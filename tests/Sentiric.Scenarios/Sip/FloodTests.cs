using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Scenarios.Peers;
using Sentiric.Sip;
using Sentiric.Testing.Platform;
using Xunit;
using Xunit.Abstractions;

namespace Sentiric.Scenarios.Sip;

/// <summary>
/// 20,000 junk datagrams a second at the SIP port while 50 calls are up: noise, torn messages, requests of a scanner, answers that nobody
/// asked for. SENTIRIC_FLOOD_SECONDS makes it longer than the 10 seconds of the suite.
/// </summary>
[Collection(Lanes.Quiet)]
[Trait("Category", "Slow")]
public sealed class FloodTests(ITestOutputHelper output)
{
    private const int Calls = 50, PerSecond = 20_000, PerTick = 40, Voice = 41;
    private const double TickMs = PerTick * 1_000.0 / PerSecond;
    private const double MostLost = 0.01;          // of the packets of the calls, on a machine that sends and receives the junk as well
    private const long MostMegabytes = 150;        // growth of the process
    private static readonly IPAddress Scanner = IPAddress.Parse("127.0.0.66");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task No_call_is_affected_and_memory_stays_bounded()
    {
        var length = TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable("SENTIRIC_FLOOD_SECONDS") is { Length: > 0 } text ? text : "10", CultureInfo.InvariantCulture));
        await using var there = await LoopbackPhone.StartAsync();
        await using var here = await LoopbackPhone.StartAsync();
        var pairs = new List<(PhoneCall Calling, PhoneCall Called)>();
        for (var i = 0; i < Calls; i++)
        {
            pairs.Add(await ConnectAsync(here, there));
        }

        foreach (var (calling, called) in pairs)
        {
            calling.Play(Melody.Repeated(Voice, length + Patience));
            called.Play(Melody.Repeated(Voice, length + Patience));
        }

        var (before, from) = (Megabytes(), pairs.Select(p => p.Called.Media.Quality()).ToList());
        var shot = await Task.Factory.StartNew(
            () => Shoot(new IPEndPoint(IPAddress.Loopback, there.AddressOf("us").Port), length), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var (after, to) = (Megabytes(), pairs.Select(p => p.Called.Media.Quality()).ToList());
        var received = to.Zip(from).Sum(q => q.First.Received - q.Second.Received);
        var lost = to.Zip(from).Sum(q => q.First.Lost + q.First.Late - q.Second.Lost - q.Second.Late);
        output.WriteLine(
            $"{shot} datagrams in {length.TotalSeconds} s ({shot / length.TotalSeconds:F0}/s); {Calls} calls received {received} packets, lost or late {lost}; "
            + $"memory {before} -> {after} MB; worst MOS {to.Min(q => q.Mos):F2}");

        Assert.True(shot >= length.TotalSeconds * PerSecond * 0.9, $"only {shot} datagrams were sent: this machine is too busy to say anything");
        Assert.True(lost <= MostLost * (received + lost), $"{lost} of {received + lost} packets were lost or late");
        Assert.True(after - before < MostMegabytes, $"{before} MB became {after} MB");
        var likeness = await Melody.HeardAsync(pairs[0].Called, Voice);
        Assert.True(likeness > Melody.Likeness, $"the voice is like itself by {likeness:F3}");
        foreach (var (calling, called) in pairs)
        {
            Assert.True((await Until.DoneAsync("an answer to a re-INVITE", calling.ReinviteAsync(MediaDirection.SendRecv), Patience))?.IsAccepted, "a re-INVITE was refused");
            await Until.DoneAsync("a BYE to be answered", Done(calling.HangUpAsync()), Patience);
            Assert.Equal(SipDialogEndCause.RemoteBye, (await Until.DoneAsync("the BYE to arrive", called.Ended, Patience)).Cause);
        }
    }

    private static async Task<(PhoneCall, PhoneCall)> ConnectAsync(LoopbackPhone here, LoopbackPhone there)
    {
        var calling = await here.DialAsync(new Dialing(there.AddressOf("us"), "caller"));
        var called = await Until.DoneAsync("the call to ring", there.Incoming.ReadAsync().AsTask(), Patience);
        Assert.True(await called.AnswerAsync());
        Assert.True((await Until.DoneAsync("the answer", calling.Established, Patience)).IsAnswered);
        return (calling, called);
    }

    private static async Task<bool> Done(Task task)
    {
        await task;
        return true;
    }

    private static long Megabytes()
    {
        GC.Collect();
        using var self = Process.GetCurrentProcess();
        return self.WorkingSet64 / (1024 * 1024);
    }

    /// <summary>On a thread of its own, paced by the clock; from an address that is not that of the callers.</summary>
    private static long Shoot(IPEndPoint at, TimeSpan length)
    {
        using var gun = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        gun.Bind(new IPEndPoint(Scanner, 0));
        var rounds = Rounds(at);
        var (watch, shot, tick) = (Stopwatch.StartNew(), 0L, 0L);
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (watch.Elapsed < length)
        {
            for (var due = (long)(watch.Elapsed.TotalMilliseconds / TickMs); tick < due; tick++)
            {
                for (var i = 0; i < PerTick; i++, shot++)
                {
                    gun.SendTo(rounds[(int)(shot % rounds.Count)], at);
                }
            }

            clock.WaitForNextTickAsync().AsTask().GetAwaiter().GetResult();
        }

        return shot;
    }

    // The seed makes the same junk every time.
    private static List<byte[]> Rounds(IPEndPoint at)
    {
        var dice = new Random(11);
        var all = new List<byte[]>();
        for (var i = 0; i < 4_000; i++)
        {
            var text = (i % 8) switch
            {
                0 => $"OPTIONS sip:{dice.Next(9_999)}@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {Scanner}:5061;branch=z9hG4bK{i};rport\r\nFrom: \"sipvicious\"<sip:100@1.1.1.1>;tag={i}\r\nTo: <sip:100@1.1.1.1>\r\nCall-ID: {i}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n",
                1 => $"REGISTER sip:{at} SIP/2.0\r\nVia: SIP/2.0/UDP {Scanner}:5061;branch=z9hG4bK{i}\r\nFrom: <sip:{i}@x>;tag=1\r\nTo: <sip:{i}@x>\r\nCall-ID: r{i}\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n",
                2 => $"INVITE sip:{dice.Next(9_999)}@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {Scanner}\r\n",
                3 => $"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{i}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: s{i}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
                4 => $"BYE sip:x@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {Scanner}:5061;branch=z9hG4bKb{i}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: b{i}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
                _ => null,
            };
            all.Add(text is null ? Noise(dice) : Encoding.ASCII.GetBytes(text));
        }

        return all;
    }

    private static byte[] Noise(Random dice)
    {
        var bytes = new byte[dice.Next(1, 900)];
        dice.NextBytes(bytes);
        return bytes;
    }
}
