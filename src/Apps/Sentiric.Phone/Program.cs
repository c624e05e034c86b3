using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Sentiric.Sip;
using Sentiric.Speech;

namespace Sentiric.Phone;

/// <summary>Places one call and plays one script. See <see cref="PhoneArguments.Usage"/>.</summary>
internal static class Program
{
    private const int Ok = 0, Failed = 1, Misused = 2;

    private static async Task<int> Main(string[] args)
    {
        Console.OutputEncoding = Encoding.UTF8;
        if (args.Length == 0 || args.Contains("--help") || args.Contains("-h"))
        {
            Console.WriteLine(PhoneArguments.Usage);
            return args.Length == 0 ? Misused : Ok;
        }

        try
        {
            return await CallAsync(PhoneArguments.Parse(args));
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            await Console.Error.WriteLineAsync($"{e.Message} --help tells more.");
            return Misused;
        }
        catch (Exception e) when (e is SpeechEngineException or IOException or UnauthorizedAccessException or SipListenException or SocketException)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Failed;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped before the call was over; it was hung up.");
            return Failed;
        }
    }

    private static async Task<int> CallAsync(PhoneArguments told)
    {
        var script = CallerScript.Parse(await File.ReadAllTextAsync(told.ScriptPath)).With(told.Values);
        script = told.Voice is null ? script : script with { Voice = told.Voice };
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        if (told.RecordTo is { } file) File.Delete(file);
        using var voice = new EspeakSynthesizer(told.Espeak);
        var output = new CallerOutput(Console.Out, told.Json);
        var caller = new ScriptedCaller(
            voice, new Dialing(told.To, told.From, told.Name, told.Transport), new PhoneOptions(OwnAddressTowards(told.To)), told.RecordTo, told.MaxCall,
            output.Progress);
        var report = await caller.RunAsync(script, stop.Token);
        output.Report(report);
        return report.Ok ? Ok : Failed;
    }

    // A connected UDP socket sends nothing, but the system says from which address it would.
    private static IPAddress OwnAddressTowards(SipUri to)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        probe.Connect(to.Host, to.Port is > 0 and var port ? port : 5060);
        return ((IPEndPoint?)probe.LocalEndPoint)?.Address ?? IPAddress.Loopback;
    }
}
