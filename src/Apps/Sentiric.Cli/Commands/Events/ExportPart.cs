using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sentiric.Cli.Commands.Events;

/// <summary>
/// An export while it is being written: whole lines, hashed as they come. The platform's last line counts and hashes what it sent this time;
/// the file's own last line counts and hashes the whole file.
/// </summary>
internal sealed class ExportPart(Stream file)
{
    private const int MaxLineBytes = 8 * 1024 * 1024;
    private readonly IncrementalHash whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[]? lastLine;
    private bool hasHeader;

    /// <summary>Events in the file.</summary>
    public long Events { get; private set; }

    /// <summary>The last line is there already; only the name is missing.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>What was asked for.</summary>
    public JsonElement Header { get; private set; }

    /// <summary>Null before the first event.</summary>
    public JsonElement? LastEvent => lastLine is null ? null : Parse(lastLine);

    /// <summary>Takes up a file that was cut off; what stands behind its last whole line is dropped.</summary>
    public static async Task<ExportPart> GoOnAsync(FileStream file, CancellationToken ct)
    {
        var part = new ExportPart(file);
        var good = 0L;
        await foreach (var line in LinesAsync(file, ct))
        {
            if (line[^1] != (byte)'\n') break;
            part.Know(line);
            good += line.Length;
        }

        if (!part.hasHeader) throw new CliException("export.damaged", "The file that was cut off has not even its first line; delete it and start anew.");
        file.SetLength(good);
        file.Position = good;
        return part;
    }

    /// <summary>Writes what the platform sends, up to its last line, and then the file's own.</summary>
    public async Task ReceiveAsync(Stream body, Action<long> progress, CancellationToken ct)
    {
        var before = Events;
        await foreach (var line in LinesAsync(body, ct))
        {
            if (line[^1] != (byte)'\n') break;
            if (TrailerOf(line) is { } trailer)
            {
                Verify(trailer, Events - before);
                await file.WriteAsync(Encoding.ASCII.GetBytes($"{{\"events\":{Events.ToString(CultureInfo.InvariantCulture)},\"sha256\":\"{Convert.ToHexStringLower(whole.GetCurrentHash())}\"}}\n"), ct);
                IsWhole = true;
                return;
            }

            await file.WriteAsync(line, ct);
            sent.AppendData(line);
            Know(line);
            progress(Events);
        }

        throw new CliException("export.cut_off", "The platform stopped in the middle of the export.");
    }

    private void Know(byte[] line)
    {
        if (TrailerOf(line) is not null)
        {
            IsWhole = true;
            return;
        }

        whole.AppendData(line);
        if (!hasHeader)
        {
            (hasHeader, Header) = (true, Parse(line));
            return;
        }

        (Events, lastLine) = (Events + 1, line);
    }

    private void Verify(JsonElement trailer, long events)
    {
        var computed = Convert.ToHexStringLower(sent.GetHashAndReset());
        if (trailer.GetProperty("events").GetInt64() != events || trailer.GetProperty("sha256").GetString() != computed)
            throw new CliException("export.damaged", "What arrived is not what the platform sent: number of events or SHA-256 differ. Delete the file and start anew.");
    }

    // Only the last line begins so; an event begins with its tenant.
    private static JsonElement? TrailerOf(byte[] line) => line.AsSpan().StartsWith("{\"events\":"u8) ? Parse(line) : null;

    private static JsonElement Parse(byte[] line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new CliException("export.damaged", $"A line is no JSON: {e.Message}");
        }
    }

    /// <summary>Lines with their \n; the last one without it when it was cut off.</summary>
    internal static async IAsyncEnumerable<byte[]> LinesAsync(Stream from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        var pipe = PipeReader.Create(from, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        while (true)
        {
            var read = await pipe.ReadAsync(ct);
            var buffer = read.Buffer;
            while (System.Buffers.BuffersExtensions.PositionOf(buffer, (byte)'\n') is { } at)
            {
                var end = buffer.GetPosition(1, at);
                yield return System.Buffers.BuffersExtensions.ToArray(buffer.Slice(0, end));
                buffer = buffer.Slice(end);
            }

            if (buffer.Length > MaxLineBytes) throw new CliException("export.damaged", $"A line is longer than {MaxLineBytes} bytes; this is no export.");
            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (!read.IsCompleted) continue;
            if (buffer.Length > 0) yield return System.Buffers.BuffersExtensions.ToArray(buffer);
            yield break;
        }
    }
}
