using System.Diagnostics;
using System.Net;
using Sentiric.Benchmarks.Kit;
using Sentiric.Media;
using Sentiric.Sip;

namespace Sentiric.Benchmarks.Sip;

/// <summary>
/// Twisted messages, a seeded stream of them, against the parser, the stream framer, SDP and an endpoint with its transactions and dialogs.
/// What a run must show: no exception, no input that takes longer than its size allows, memory as before.
/// </summary>
public static class Fuzzing
{
    /// <summary>As many as the time of the group allows; ten million with --events=10000000.</summary>
    private const int UsualInputs = 200_000;
    private const int Seed = 3261;

    /// <summary>Each input goes to the parser, framer and SDP; every so manieth to an endpoint too.</summary>
    private const int EndpointEvery = 8;
    private const int MinutePassesEvery = 4_096;
    private const double LimitMicroseconds = 50;

    /// <summary>An input over the limit is timed again at once, and the slowest of them when all is over: a stall of the machine does not come back, slowness does.</summary>
    private const int TimesAgain = 9, TimesAtTheEnd = 99;
    private const int MostSuspects = 64;

    public static async Task RunAsync(Bench bench)
    {
        var inputs = bench.Events ?? bench.Times(UsualInputs);
        var twister = new Twister(new Random(Seed));
        var time = new SteppedTime();
        var network = new SinkNetwork();
        var faults = new FaultCounter();
        var options = new SipEndpointOptions
        {
            Listen = [SipListen.Udp()], Network = network, TimeProvider = time, Callbacks = SipCallbacks.ThreadPool, Logger = faults,
            SourceLimits = new SourceLimits { RequestsPerSecond = 1_000_000, Burst = 1_000_000 },
        };
        await using var endpoint = await SipEndpoint.StartAsync(options, new Answering());
        long escaped = 0, retimed = 0;
        double worst = 0;
        var suspects = new PriorityQueue<byte[], double>();
        var before = 0L;
        for (var i = 0; i < inputs; i++)
        {
            // The first tenth fills caches and tables; memory is compared with what is held after it.
            if (i == inputs / 10) before = GC.GetTotalMemory(forceFullCollection: true);
            if ((i & 0xFFFF) == 0)
            {
                bench.Say($"{i} of {inputs} inputs");
                bench.Stop.ThrowIfCancellationRequested();
            }
            var input = twister.Next();
            try
            {
                var took = Timed(input);
                if (took > Allowed(input))
                {
                    retimed++;
                    took = Again(input, TimesAgain);
                }
                if (took > Allowed(input)) Suspect(suspects, input, took / Allowed(input));
                else worst = Math.Max(worst, took / Allowed(input));
                if (i % EndpointEvery == 0) network.Deliver(input);
            }
            catch (Exception fault)
            {
                escaped++;
                bench.Say($"input {i}: {fault.GetType().Name}");
            }
            if (i % MinutePassesEvery == 0) time.Pass(TimeSpan.FromMinutes(1));
        }
        time.Pass(TimeSpan.FromMinutes(10));
        var slow = suspects.UnorderedItems.Count(one => Again(one.Element, TimesAtTheEnd) > Allowed(one.Element));
        foreach (var (input, _) in suspects.UnorderedItems) worst = Math.Max(worst, Again(input, TimesAtTheEnd) / Allowed(input));
        var suspected = suspects.Count;
        suspects.Clear();
        var after = GC.GetTotalMemory(forceFullCollection: true);
        bench.Add(new Row("sip.fuzz.escaped", $"exceptions that escaped, {inputs:N0} inputs, seed {Seed}", escaped + faults.Count, "exceptions")
        {
            Target = Target.AtMost(0), Detail = $"{network.Sent:N0} messages answered by the endpoint",
        });
        bench.Add(new Row("sip.fuzz.slowest", $"slowest input, as a share of {LimitMicroseconds} us for each begun 64 KB", worst, "x")
        {
            Target = Target.AtMost(1), Detail = $"{retimed} timed again at once, {suspected} at the end, the best counts; {slow} slow",
        });
        bench.Add(new Row("sip.fuzz.memory", "held at the end against a tenth of the way", (after - before) / 1e6, "MB") { Target = Target.AtMost(5) });
    }

    private static double Allowed(byte[] input) => LimitMicroseconds * Math.Max(1, Math.Ceiling(input.Length / 65_536.0));

    private static double Timed(byte[] input)
    {
        var from = Stopwatch.GetTimestamp();
        var message = SipParser.ParseDatagram(input).Message;
        var took = Stopwatch.GetElapsedTime(from).TotalMicroseconds;
        Read(message, input);
        return took;
    }

    /// <summary>The slowest are kept; of a machine that stalls all the time not all can be.</summary>
    private static void Suspect(PriorityQueue<byte[], double> suspects, byte[] input, double share)
    {
        suspects.Enqueue(input, share);
        if (suspects.Count > MostSuspects) suspects.Dequeue();
    }

    private static double Again(byte[] input, int times)
    {
        var best = double.MaxValue;
        for (var i = 0; i < times; i++) best = Math.Min(best, Timed(input));
        return best;
    }

    /// <summary>Every way that a message can be looked at; none may throw.</summary>
    private static void Read(SipMessage? message, byte[] input)
    {
        SipRoutingView.TryRead(input, out _);
        if (message is not null)
        {
            _ = (message.From.Display, message.From.Uri.UserText, message.To.Uri.AddressOfRecord, message.TopVia.Parameters.Count, message.HasStarContact);
            _ = (message.Contacts.Count, message.Routes.Count, message.RecordRoutes.Count, message.Tokens("Supported").Count, message.Number("Expires"));
            if (message is SipRequest request) _ = (request.Uri.UserText, request.Uri.Parameters.Count);
            if (message.Sdp is { } sdp) SdpParser.Parse(sdp, out _);
        }
        var framer = new SipStreamFramer();
        framer.Append(input);
        for (var i = 0; i <= input.Length && framer.Next().Kind != SipFrameKind.Incomplete; i++)
        {
        }
    }

    private sealed class Answering : ISipApplication
    {
        public async Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping)
        {
            await invite.RingingAsync();
            var answer = await invite.AnswerAsync(SampleInvite.Offer);
            if (answer.Dialog is { } dialog) dialog.ReinviteHandler = _ => Task.FromResult(SipReinviteAnswer.Accept(SampleInvite.Offer));
        }
    }
}
