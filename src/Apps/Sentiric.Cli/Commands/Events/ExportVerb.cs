using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Sentiric.Cli.Show;

namespace Sentiric.Cli.Commands.Events;

/// <summary>
/// The log into a file. It is written as FILE.part until its end is there and its hash agrees; what was cut off goes on behind the last whole line.
/// </summary>
internal static class ExportVerb
{
    public static EventsVerb Verb { get; } = new(
        "export",
        """
        sentiric events export FILE [--all | --tenant NAME] [--stream ID] [--since TIME] [--until TIME]
        sentiric events export FILE --continue
        Writes the log, a line of JSON an event, with a SHA-256 at the end; packed when FILE ends with .gz; '-' is the standard output.
        --all: every tenant. --continue goes on with an export of FILE that was cut off, with the options that it was begun with.
        """,
        ["--stream", "--since", "--until"], ["--all", "--continue"], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var file = session.Arguments.Word(1, "the file to write");
        session.Arguments.NoMoreThan(2);
        try
        {
            if (file == "-") return await ToOutputAsync(session, ct);
            if (File.Exists(file)) throw new CliException("file.exists", $"{file} is there already; name another file or delete it.");
            var events = await ToPartAsync(session, file, ct);
            await FinishAsync(file, ct);
            session.Terminal.Line($"{file}: {Words.Grouped(events)} events, {Words.Bytes(new FileInfo(file).Length)}");
            return Cli.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException("file.not_written", $"{file}: {e.Message}");
        }
    }

    private static async Task<int> ToOutputAsync(Session session, CancellationToken ct)
    {
        if (session.Arguments.Has("--continue")) throw new UsageException("--continue needs the file that was begun.");
        await using var output = Console.OpenStandardOutput();
        await ReceiveAsync(session, Path(session), new ExportPart(output), ct);
        return Cli.Ok;
    }

    private static async Task<long> ToPartAsync(Session session, string file, CancellationToken ct)
    {
        var goesOn = session.Arguments.Has("--continue");
        if (!goesOn && File.Exists(PartOf(file))) throw new CliException("export.begun", $"{PartOf(file)} holds an export that was cut off: --continue goes on with it; delete it to start anew.");
        if (goesOn && !File.Exists(PartOf(file))) throw new CliException("export.not_begun", $"{PartOf(file)} is not there: nothing was cut off.");
        await using var stream = new FileStream(PartOf(file), goesOn ? FileMode.Open : FileMode.CreateNew, FileAccess.ReadWrite);
        var part = goesOn ? await ExportPart.GoOnAsync(stream, ct) : new ExportPart(stream);
        if (part.IsWhole) return part.Events;
        try
        {
            await ReceiveAsync(session, goesOn ? Path(part) : Path(session), part, ct);
        }
        catch (CliException broken) when (part.Events > 0 && broken.Code != "export.damaged")
        {
            throw new CliException(broken.Code, $"{broken.Message} {Words.Grouped(part.Events)} events are in {PartOf(file)}; the same command with --continue goes on behind them.");
        }
        finally
        {
            await stream.FlushAsync(CancellationToken.None);
        }

        return part.Events;
    }

    private static async Task ReceiveAsync(Session session, string path, ExportPart part, CancellationToken ct)
    {
        var progress = new ProgressLine(session.Terminal, session.Time, "exporting");
        try
        {
            await session.Api.ReadAsync(path, async (body, headers) =>
            {
                var target = headers.TryGetValues("Events-Target", out var told) && long.TryParse(told.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var mark) ? mark : 0;
                // Part of a log has no known length.
                var whole = session.Arguments.Has("--all") && !path.Contains("since=", StringComparison.Ordinal) && !path.Contains("stream=", StringComparison.Ordinal);
                await part.ReceiveAsync(body, events => progress.Show(events, whole ? target : 0, $"{Words.Grouped(events)} events"), ct);
            }, ct);
        }
        catch (Exception e) when (e is IOException or HttpRequestException && !ct.IsCancellationRequested)
        {
            throw new CliException("export.cut_off", $"The export broke off: {e.Message}");
        }
        finally
        {
            progress.Clear();
        }
    }

    private static string Path(Session session) => Query.Path(
        "v1/events/export", ("tenant", session.Arguments.Has("--all") ? "*" : null), ("stream", session.Arguments.Option("--stream")),
        ("since", Moments.Option(session, "--since")), ("until", Moments.Option(session, "--until")));

    private static string Path(ExportPart part)
    {
        string? Asked(string name) => part.Header.TryGetProperty(name, out var value) ? value.GetString() : null;
        string? Last(string name) => part.LastEvent is { } last ? last.GetProperty(name).ToString() : null;
        return Query.Path(
            "v1/events/export", ("tenant", Asked("tenant") ?? "*"), ("stream", Asked("stream")), ("since", Asked("since")), ("until", Asked("until")),
            ("behind_tenant", Last("tenant")), ("behind_stream", Last("stream")), ("behind_version", Last("version")));
    }

    private static async Task FinishAsync(string file, CancellationToken ct)
    {
        if (!file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
        {
            File.Move(PartOf(file), file);
            return;
        }

        var packing = file + ".packing";
        await using (var plain = File.OpenRead(PartOf(file)))
        await using (var packed = new GZipStream(File.Create(packing), CompressionLevel.Optimal))
        {
            await plain.CopyToAsync(packed, ct);
        }

        File.Move(packing, file);
        File.Delete(PartOf(file));
    }

    private static string PartOf(string file) => file + ".part";
}
