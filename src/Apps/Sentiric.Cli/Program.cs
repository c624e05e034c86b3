using System.Runtime.InteropServices;
using System.Text;

namespace Sentiric.Cli;

/// <summary>The `sentiric` command line: speaks HTTP to a running platform.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        Console.OutputEncoding = Encoding.UTF8;
        Console.InputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        return await Cli.RunAsync(args, Terminal.OfProcess(), Environment.GetEnvironmentVariable, TimeProvider.System, stop.Token);
    }
}
