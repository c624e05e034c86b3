using System.Globalization;
using Sentiric.Testing;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Kit;

/// <summary>sipp running one of our scenario files, once, on a port of its own.</summary>
internal static class Sipp
{
    /// <summary>A message that does not come fails the scenario after this many milliseconds.</summary>
    private const int MessageMs = 10_000;

    /// <summary>The whole scenario fails after this many seconds.</summary>
    private const int ScenarioSeconds = 25;
    private const int MostOfLog = 12_000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Null when every step came as the file says; else what sipp said and what went over the wire.</summary>
    /// <param name="more">The target when sipp calls, and whatever else belongs on its command line.</param>
    public static async Task<string?> RunAsync(string scenario, int port, params IEnumerable<string> more)
    {
        var folder = Directory.CreateTempSubdirectory("sentiric-sipp-");
        try
        {
            string[] arguments =
            [
                "-sf", FileOf(scenario), "-i", "127.0.0.1", "-p", Text(port), "-mi", "127.0.0.1", "-m", "1", "-nostdin",
                "-recv_timeout", Text(MessageMs), "-timeout", Text(ScenarioSeconds), "-timeout_error", "-trace_err", "-trace_msg", .. more,
            ];
            var (exit, output, error) = await Programs.RunAsync("sipp", arguments, Limit, folder.FullName);
            return exit == 0 ? null : $"sipp {string.Join(' ', arguments)}\nended with {exit}. {error}\n{Logs(folder)}\n{Tail(output)}";
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public static string FileOf(string scenario) => Repository.PathOf("tests", "Sentiric.Scenarios", "sipp", scenario + ".xml");

    /// <summary>sipp says nothing when it listens; the kernel does.</summary>
    public static Task ListensAsync(int port) => Until.TrueAsync(
        $"sipp to listen on {port}",
        async () => (await File.ReadAllTextAsync("/proc/net/udp")).Contains(string.Create(CultureInfo.InvariantCulture, $":{port:X4} 00000000:0000"), StringComparison.Ordinal),
        TimeSpan.FromSeconds(15));

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Logs(DirectoryInfo folder) => string.Concat(folder.GetFiles("*.log").OrderBy(f => f.Name).Select(f => Tail(File.ReadAllText(f.FullName)) + "\n"));

    private static string Tail(string text) => text.Length > MostOfLog ? "..." + text[^MostOfLog..] : text;
}
