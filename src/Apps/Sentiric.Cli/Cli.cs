using Sentiric.Cli.Commands;

namespace Sentiric.Cli;

/// <summary>Finds the command, runs it, and turns what goes wrong into a sentence and an exit status: 0 done, 1 refused or failed, 2 bad usage.</summary>
internal static class Cli
{
    public const int Ok = 0, Failed = 1, Misused = 2;

    public static readonly IReadOnlyList<Command> Commands =
    [
        StatusCommand.Command, CallsCommand.Command, UsersCommand.Command, RoutesCommand.Command, DialplanCommand.Command, ArticlesCommand.Command,
        ChatCommand.Command, ProjectionsCommand.Command, TrunksCommand.Command, PhonesCommand.Command, EventsCommand.Command, EraseCommand.Command, DemoCommand.Command, CallCommand.Command,
    ];

    public static async Task<int> RunAsync(
        IReadOnlyList<string> args, Terminal terminal, Func<string, string?> environment, TimeProvider time, CancellationToken ct)
    {
        if (args.Count == 0 || args[0] is "--help" or "-h" or "help")
        {
            (args.Count == 0 ? terminal.Error : terminal.Out).WriteLine(Help());
            return args.Count == 0 ? Misused : Ok;
        }

        if (Commands.FirstOrDefault(c => c.Name == args[0]) is not { } command)
        {
            terminal.Error.WriteLine($"There is no command {args[0]}.\n\n{Help()}");
            return Misused;
        }

        if (args.Contains("--help") || args.Contains("-h"))
        {
            terminal.Out.WriteLine(command.Usage);
            return Ok;
        }

        return await RunAsync(command, [.. args.Skip(1)], terminal, environment, time, ct);
    }

    private static async Task<int> RunAsync(
        Command command, IReadOnlyList<string> args, Terminal terminal, Func<string, string?> environment, TimeProvider time, CancellationToken ct)
    {
        try
        {
            using var session = new Session(Arguments.Parse(args, command.ValueOptions, command.Flags), terminal, environment, time);
            return await command.Run(session, ct);
        }
        catch (UsageException e)
        {
            terminal.Error.WriteLine($"{e.Message}\n\n{command.Usage}");
            return Misused;
        }
        catch (CliException e)
        {
            terminal.Error.WriteLine($"{terminal.Paint(e.Code, Colour.Red)}: {e.Message}");
            return Failed;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            terminal.Error.WriteLine("Interrupted; what was started has been ended.");
            return Failed;
        }
    }

    private static string Help()
    {
        var width = Commands.Max(c => c.Name.Length);
        return $"""
            sentiric COMMAND [options]      sentiric COMMAND --help tells more

            {string.Join('\n', Commands.Select(c => $"  {c.Name.PadRight(width)}  {c.Summary}"))}

            The platform is found by SENTIRIC_URL and SENTIRIC_API_KEY, or --url URL and --key KEY. --json prints what the API answers.
            """;
    }
}

/// <summary>One command. Usage text and options are data, so that help and parsing cannot disagree about who exists.</summary>
internal sealed record Command(
    string Name, string Summary, string Usage, IReadOnlyList<string> OwnValueOptions, IReadOnlyList<string> OwnFlags, Func<Session, CancellationToken, Task<int>> Run)
{
    /// <summary>Options that every command has.</summary>
    public static readonly IReadOnlyList<string> Everywhere = ["--url", "--key", "--tenant", "--json"];

    public IReadOnlyList<string> ValueOptions => [.. OwnValueOptions, "--url", "--key", "--tenant"];

    public IReadOnlyList<string> Flags => [.. OwnFlags, "--json"];
}

/// <summary>Everything that a running command has at hand.</summary>
internal sealed class Session(Arguments arguments, Terminal terminal, Func<string, string?> environment, TimeProvider time) : IDisposable
{
    private Api? api;

    public Arguments Arguments { get; } = arguments;

    public Terminal Terminal { get; } = terminal;

    public TimeProvider Time { get; } = time;

    public bool Json => Arguments.Has("--json");

    /// <summary>Made when it is first asked for: help and usage need no platform.</summary>
    public Api Api => api ??= new Api(Needed("--url", "SENTIRIC_URL"), Needed("--key", "SENTIRIC_API_KEY"), Arguments.Option("--tenant"));

    public string? Setting(string name) => environment(name) is { Length: > 0 } value ? value : null;

    /// <summary>A setting that must be there; the refusal says how it usually comes to be.</summary>
    public string NeededSetting(string name) =>
        Setting(name) ?? throw new CliException("setting.missing", $"{name} is not set. Run this as './sentiric cli …' or './sentiric demo', which set it.");

    public void Dispose() => api?.Dispose();

    private string Needed(string option, string name) => Arguments.Option(option) ?? NeededSetting(name);
}

/// <summary>A "no" that the user is told: a stable code and a sentence.</summary>
internal sealed class CliException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}

/// <summary>The command line cannot be understood.</summary>
internal sealed class UsageException(string message) : Exception(message);
