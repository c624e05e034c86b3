using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>
/// Reads an <see cref="ExportFile"/> line by line, in bounded memory. Its events are given out as they come; that the file is whole is known at its end,
/// where <see cref="ExportFileException"/> says what is wrong with it.
/// </summary>
public static class ExportReader
{
    public static async IAsyncEnumerable<ImportedLine> ReadAsync(Stream from, [EnumeratorCancellation] CancellationToken ct = default)
    {
        var pipe = PipeReader.Create(from, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (line, events, ended) = (0L, 0L, false);
        while (await NextAsync(pipe, ct).ConfigureAwait(false) is { } bytes)
        {
            line++;
            if (ended) throw new ExportFileException("damaged", "There are lines behind the end of the export.");
            using var json = Parse(bytes, line);
            if (line == 1) EnsureHeader(json.RootElement);
            else if (json.RootElement.TryGetProperty("sha256", out var told))
            {
                EnsureWhole(json.RootElement, told.GetString(), events, hash);
                ended = true;
            }
            else
            {
                events++;
                yield return Event(json.RootElement, line);
            }

            hash.AppendData(bytes);
        }

        await pipe.CompleteAsync().ConfigureAwait(false);
        if (line == 0) throw new ExportFileException("not_an_export", "The file is empty.");
        if (!ended) throw new ExportFileException("incomplete", $"The file ends after {events} events, without its last line: the export was cut off. Run the export again; it goes on where it stopped.");
    }

    /// <summary>The next line with its \n; null at the end.</summary>
    private static async ValueTask<byte[]?> NextAsync(PipeReader pipe, CancellationToken ct)
    {
        while (true)
        {
            var read = await pipe.ReadAsync(ct).ConfigureAwait(false);
            if (read.Buffer.PositionOf((byte)'\n') is { } at)
            {
                var end = read.Buffer.GetPosition(1, at);
                var line = read.Buffer.Slice(0, end).ToArray();
                pipe.AdvanceTo(end);
                return line;
            }

            if (read.Buffer.Length > ExportFile.MaxLineBytes) throw new ExportFileException("line_too_long", $"A line is longer than {ExportFile.MaxLineBytes} bytes; this is no export.");
            if (read.IsCompleted)
            {
                if (read.Buffer.Length > 0) throw new ExportFileException("incomplete", "The file ends in the middle of a line: it was cut off. Run the export again; it goes on where it stopped.");
                return null;
            }

            pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static JsonDocument Parse(byte[] bytes, long line)
    {
        try
        {
            var json = JsonDocument.Parse(bytes);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json : throw new JsonException("it is no object.");
        }
        catch (JsonException e)
        {
            throw line == 1 ? NotAnExport(e) : ExportFileException.At(line, e.Message, e);
        }
    }

    private static void EnsureHeader(JsonElement header)
    {
        if (!header.TryGetProperty("format", out var format) || format.ValueKind != JsonValueKind.String || format.GetString() != ExportFile.Format) throw NotAnExport(null);
        if (!header.TryGetProperty("version", out var version) || !version.TryGetInt32(out var number) || number != ExportFile.Version)
            throw new ExportFileException("version_unknown", $"The file is of another version of the format; this program reads version {ExportFile.Version}.");
    }

    private static void EnsureWhole(JsonElement trailer, string? told, long events, IncrementalHash hash)
    {
        var counted = trailer.TryGetProperty("events", out var number) && number.TryGetInt64(out var count) ? count : -1;
        var computed = Convert.ToHexStringLower(hash.GetCurrentHash());
        if (counted != events) throw new ExportFileException("damaged", $"The file says that it holds {counted} events and holds {events}: lines were lost or added.");
        if (told != computed) throw new ExportFileException("damaged", $"The file was changed since it was written: its SHA-256 is {computed}, it says {told}.");
    }

    private static ImportedLine Event(JsonElement json, long line)
    {
        try
        {
            return ExportLine.ReadEvent(json);
        }
        catch (Exception unreadable) when (unreadable is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw ExportFileException.At(line, unreadable.Message, unreadable);
        }
    }

    private static ExportFileException NotAnExport(Exception? inner) =>
        new("not_an_export", $"The file does not begin with the line of an export (\"format\":\"{ExportFile.Format}\").", inner);
}
