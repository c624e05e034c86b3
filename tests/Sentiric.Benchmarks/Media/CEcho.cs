using System.Diagnostics;
using System.Globalization;
using Sentiric.Benchmarks.Kit;

namespace Sentiric.Benchmarks.Media;

/// <summary>The floor in C (echo.c), compiled where it is measured.</summary>
internal sealed class CEcho : IPeer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process process;
    private readonly DirectoryInfo folder;

    private CEcho(Process process, DirectoryInfo folder, IReadOnlyList<int> ports) => (this.process, this.folder, Ports) = (process, folder, ports);

    public IReadOnlyList<int> Ports { get; }

    public TimeSpan Cpu => ProcessCpu.Of(process.Id);

    /// <summary>Throws when the compiler refuses the program.</summary>
    public static async Task<CEcho> StartAsync(string compiler, int legs, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("bench-echo-");
        var (source, program) = (Path.Combine(AppContext.BaseDirectory, "Media", "echo.c"), Path.Combine(folder.FullName, "echo"));
        using (var compiling = Process.Start(compiler, ["-O2", "-o", program, source]))
        {
            await compiling.WaitForExitAsync(stop).WaitAsync(Patience, stop);
            if (compiling.ExitCode != 0) throw new InvalidOperationException($"{compiler} did not take {source}");
        }
        var start = new ProcessStartInfo(program, [legs.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true };
        var process = Process.Start(start) ?? throw new InvalidOperationException("The echo did not start.");
        var line = await process.StandardOutput.ReadLineAsync(stop).AsTask().WaitAsync(Patience, stop) ?? throw new InvalidOperationException("The echo broke.");
        return new CEcho(process, folder, [.. line.Split(' ').Select(port => int.Parse(port, CultureInfo.InvariantCulture))]);
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        folder.Delete(recursive: true);
    }
}
