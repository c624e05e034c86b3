using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Sentiric.Benchmarks.Sip;

/// <summary>What sipp counted at its end.</summary>
public sealed record SippCount(long Successful, long Failed, long Retransmissions, TimeSpan Took)
{
    public double PerSecond => Successful / Took.TotalSeconds;
}

/// <summary>sipp with its built-in scenarios, as the load and as the peer to compare with.</summary>
public static class Sipp
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Places so many calls at that rate and hangs up as soon as they are answered.</summary>
    public static async Task<SippCount> CallAsync(string program, IPEndPoint target, int calls, int perSecond, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("bench-sipp-");
        try
        {
            var since = Stopwatch.StartNew();
            using var process = Start(
                program, folder.FullName, "-sn", "uac", target.ToString(), "-i", "127.0.0.1", "-m", Text(calls), "-r", Text(perSecond),
                "-timeout", Text((int)(calls / perSecond + Patience.TotalSeconds)) + "s", "-nostdin", "-trace_stat", "-stf", "count.csv", "-fd", "1");
            await EndAsync(process, TimeSpan.FromSeconds((double)calls / perSecond) + Patience, stop);
            return Read(Path.Combine(folder.FullName, "count.csv"), since.Elapsed);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>sipp's own callee; the caller ends it.</summary>
    public static (Process Process, IPEndPoint Address) StartCallee(string program, string folder)
    {
        var port = FreePort();
        return (Start(program, folder, "-sn", "uas", "-i", "127.0.0.1", "-p", Text(port), "-nostdin"), new IPEndPoint(IPAddress.Loopback, port));
    }

    /// <summary>Whether something is bound to the UDP port already.</summary>
    public static async Task ListeningAsync(IPEndPoint address, CancellationToken stop)
    {
        var port = $":{address.Port:X4} ";
        for (var since = Stopwatch.StartNew(); since.Elapsed < Patience;)
        {
            if ((await File.ReadAllTextAsync("/proc/net/udp", stop)).Contains(port, StringComparison.Ordinal)) return;
            await Task.Delay(TimeSpan.FromMilliseconds(20), stop);
        }
        throw new TimeoutException($"Nobody listened on {address}.");
    }

    /// <summary>A program whose screens nobody reads.</summary>
    internal static Process Start(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["TERM"] = "dumb" },
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task EndAsync(Process process, TimeSpan patience, CancellationToken stop)
    {
        try
        {
            await process.WaitForExitAsync(stop).WaitAsync(patience + TimeSpan.FromSeconds(10), stop);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    /// <summary>The last line of the statistics; columns are found by name. The (C) columns count from the start.</summary>
    private static SippCount Read(string path, TimeSpan took)
    {
        var lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        if (lines.Length < 2) throw new InvalidDataException("sipp wrote no statistics.");
        var (names, values) = (lines[0].Split(';'), lines[^1].Split(';'));
        long Count(string name) => Array.IndexOf(names, name) is >= 0 and var at ? long.Parse(values[at], CultureInfo.InvariantCulture) : 0;
        return new SippCount(Count("SuccessfulCall(C)"), Count("FailedCall(C)"), Count("Retransmissions(C)"), took);
    }

    internal static int FreePort()
    {
        using var probe = new Socket(SocketType.Dgram, ProtocolType.Udp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (probe.LocalEndPoint as IPEndPoint)?.Port ?? throw new InvalidOperationException("No free UDP port.");
    }

    internal static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
