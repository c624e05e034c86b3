using System.Diagnostics;
using System.Text;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Peers;

/// <summary>A foreign program that runs beside a test: what it says is kept, and it is killed, it alone, when the test is over.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private const int MostSaid = 200_000;
    private readonly Process process;
    private readonly Lock gate = new();
    private readonly StringBuilder said = new(); // under gate
    private readonly Task reading;

    private PeerProcess(Process process)
    {
        this.process = process;
        reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public string Said
    {
        get { lock (gate) return said.ToString(); }
    }

    public static PeerProcess Start(string program, IEnumerable<string> arguments, string folder, params KeyValuePair<string, string>[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new(Process.Start(start) ?? throw new InvalidOperationException($"{program} was not started."));
    }

    public async Task TypeAsync(string line)
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Until it has said this often enough.</summary>
    public Task SaysAsync(string text, int times = 1, int limitSeconds = 20) => Until.TrueAsync(
        $"\"{text}\" from {process.StartInfo.FileName}", () => Task.FromResult(Count(text) >= times), TimeSpan.FromSeconds(limitSeconds), () => Said);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        await reading;
        process.Dispose();
    }

    private int Count(string text)
    {
        var (all, count) = (Said, 0);
        for (var at = all.IndexOf(text, StringComparison.Ordinal); at >= 0; at = all.IndexOf(text, at + text.Length, StringComparison.Ordinal))
        {
            count++;
        }

        return count;
    }

    private async Task ReadAsync(StreamReader from)
    {
        var buffer = new char[4_096];
        while (await from.ReadAsync(buffer) is > 0 and var read)
        {
            lock (gate)
            {
                said.Append(buffer, 0, Math.Min(read, MostSaid - said.Length));
            }
        }
    }
}
