using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Sentiric.Cli.Demo;

/// <summary>Sentiric.Phone as a child process: the caller is another program, as a caller is.</summary>
internal sealed class PhoneProcess : IDisposable
{
    private static readonly TimeSpan HangUpTime = TimeSpan.FromSeconds(5);
    private readonly Process process;

    private PhoneProcess(Process process) => this.process = process;

    /// <summary>Starts it with the platform's address and espeak's place from the environment added to the arguments.</summary>
    public static PhoneProcess Start(Session session, string to, IReadOnlyList<string> arguments, bool piped)
    {
        var program = session.NeededSetting("SENTIRIC_PHONE");
        if (!File.Exists(program)) throw new CliException("phone.missing", $"There is no {program}; ./sentiric up builds it.");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = piped, RedirectStandardError = piped, UseShellExecute = false };
        start.ArgumentList.Add(program);
        foreach (var argument in (string[])["--to", $"sip:{to}@{session.NeededSetting("SENTIRIC_SIP")}", .. arguments]) start.ArgumentList.Add(argument);
        AddWhenSet(start, session, "--espeak", "Speech__Espeak");
        AddWhenSet(start, session, "--espeak-lib", "Speech__EspeakLibraryPath");
        AddWhenSet(start, session, "--espeak-data", "Speech__EspeakDataPath");
        return new PhoneProcess(Process.Start(start) ?? throw new CliException("phone.not_started", "dotnet did not start the phone."));
    }

    /// <summary>What it prints, line by line, until it ends.</summary>
    public async IAsyncEnumerable<string> LinesAsync([EnumeratorCancellation] CancellationToken ct)
    {
        while (await process.StandardOutput.ReadLineAsync(ct) is { } line) yield return line;
    }

    /// <summary>Its complaints, complete when it has ended.</summary>
    public Task<string> ErrorsAsync(CancellationToken ct) => process.StandardError.ReadToEndAsync(ct);

    public async Task<int> ExitAsync(CancellationToken ct)
    {
        await process.WaitForExitAsync(ct);
        return process.ExitCode;
    }

    /// <summary>A phone that still runs is ended; where that is possible in a way that lets it hang up first.</summary>
    public void Dispose()
    {
        if (!process.HasExited)
        {
            Terminate();
            if (!process.WaitForExit(HangUpTime)) process.Kill(entireProcessTree: true);
        }

        process.Dispose();
    }

    private void Terminate()
    {
        if (OperatingSystem.IsWindows()) return;
        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        kill.WaitForExit(HangUpTime);
    }

    private static void AddWhenSet(ProcessStartInfo start, Session session, string option, string setting)
    {
        if (session.Setting(setting) is not { } value) return;
        start.ArgumentList.Add(option);
        start.ArgumentList.Add(value);
    }
}
