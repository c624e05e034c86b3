using System.Diagnostics;
using System.Globalization;

namespace Sentiric.Benchmarks.Media;

/// <summary>The other process that <see cref="RtpLoad"/> runs in.</summary>
public sealed class Phones : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process process;

    private Phones(Process process, IReadOnlyList<int> ports) => (this.process, Ports) = (process, ports);

    public IReadOnlyList<int> Ports { get; }

    public static async Task<Phones> StartAsync(int phones, TimeSpan length, CancellationToken stop)
    {
        string[] load = [RtpLoad.Switch, phones.ToString(CultureInfo.InvariantCulture), length.TotalSeconds.ToString(CultureInfo.InvariantCulture)];
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("This program does not know its own path.");
        // "dotnet X.dll" names dotnet; the program's own launcher needs no file name
        string[] arguments = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(Phones).Assembly.Location, .. load] : load;
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start) ?? throw new InvalidOperationException("The phones did not start.");
        var line = await LineAsync(process, stop);
        return new Phones(process, [.. line.Split(' ').Select(port => int.Parse(port, CultureInfo.InvariantCulture))]);
    }

    /// <summary>Starts to speak to these ports.</summary>
    public async Task SpeakToAsync(IEnumerable<int> ports)
    {
        await process.StandardInput.WriteLineAsync(string.Join(' ', ports));
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until they are through.</summary>
    public async Task<(long Sent, long Received)> EndAsync(CancellationToken stop)
    {
        var line = await LineAsync(process, stop);
        var counts = line.Split(' ').Select(count => long.Parse(count, CultureInfo.InvariantCulture)).ToArray();
        await process.WaitForExitAsync(stop);
        return (counts[0], counts[1]);
    }

    private static async Task<string> LineAsync(Process process, CancellationToken stop) =>
        await process.StandardOutput.ReadLineAsync(stop).AsTask().WaitAsync(Patience, stop)
        ?? throw new InvalidOperationException($"The phones broke: {await process.StandardError.ReadToEndAsync(stop)}");

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
    }
}
