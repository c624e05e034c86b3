using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Sentiric.Cli.Show;
using Sentiric.Contracts;
using Sentiric.Contracts.Queries;

namespace Sentiric.Cli.Commands.Events;

/// <summary>An export into this platform. The whole file is checked before the first byte is sent.</summary>
internal static class ImportVerb
{
    public static EventsVerb Verb { get; } = new(
        "import",
        """
        sentiric events import FILE [--check]
        Stores the events of an export with their ids, versions and times; what is there already is passed over, so an import that broke off is
        repeated. The file's hash is checked before anything is sent; --check does only that. Imported events are not published on the bus.
        """,
        [], ["--check"], RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken ct)
    {
        var name = session.Arguments.Word(1, "the file to read");
        session.Arguments.NoMoreThan(2);
        try
        {
            await using var file = File.OpenRead(name);
            var packed = IsPacked(file);
            var events = await CheckAsync(session, file, packed, ct);
            var onlyChecks = session.Arguments.Has("--check");
            if (onlyChecks || !session.Json) session.Terminal.Line($"{name}: {Words.Grouped(events)} events, whole and unchanged");
            if (onlyChecks) return Cli.Ok;
            file.Position = 0;
            var report = await SendAsync(session, file, packed, ct);
            if (session.Json) return session.PrintJson(report);
            session.Terminal.Line($"{Words.Grouped(report.Stored)} stored, {Words.Grouped(report.AlreadyStored)} were there already, {report.ArchivedStreams} streams archived");
            return Cli.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException && !ct.IsCancellationRequested)
        {
            throw new CliException("file.unreadable", $"{name}: {e.Message}");
        }
    }

    private static bool IsPacked(FileStream file)
    {
        var packed = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b; // RFC 1952, 2.3.1
        file.Position = 0;
        return packed;
    }

    private static async Task<long> CheckAsync(Session session, FileStream file, bool packed, CancellationToken ct)
    {
        var progress = new ProgressLine(session.Terminal, session.Time, "checking ");
        await using var unpacked = packed ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (lines, last) = (0L, (byte[]?)null);
        await foreach (var line in ExportPart.LinesAsync(unpacked ?? (Stream)file, ct))
        {
            if (lines++ == 0) EnsureHeader(line);
            if (last is not null) hash.AppendData(last);
            last = line;
            progress.Show(file.Position, file.Length, $"{Words.Grouped(lines)} lines");
        }

        progress.Clear();
        if (last is null) throw new CliException("import.not_an_export", "The file is empty.");
        return EnsureWhole(last, lines - 2, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static void EnsureHeader(byte[] line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.String && format.GetString() == "eventstore-export") return;
        }
        catch (JsonException)
        {
            // Told below: whatever it is, it is no export.
        }

        throw new CliException("import.not_an_export", "The file does not begin with the line of an export. 'sentiric events export' writes one.");
    }

    private static long EnsureWhole(byte[] last, long events, string computed)
    {
        if (!last.AsSpan().StartsWith("{\"events\":"u8) || last[^1] != (byte)'\n')
            throw new CliException("import.incomplete", "The file has no last line with its hash: the export was cut off. 'sentiric events export FILE --continue' goes on with it.");
        using var json = JsonDocument.Parse(last);
        var (told, count) = (json.RootElement.GetProperty("sha256").GetString(), json.RootElement.GetProperty("events").GetInt64());
        if (count != events) throw new CliException("import.damaged", $"The file says that it holds {count} events and holds {events}: lines were lost or added.");
        if (told != computed) throw new CliException("import.damaged", $"The file was changed since it was written: its SHA-256 is {computed}, it says {told}. Take another copy.");
        return events;
    }

    private static async Task<ImportReport> SendAsync(Session session, FileStream file, bool packed, CancellationToken ct)
    {
        var progress = new ProgressLine(session.Terminal, session.Time, "importing");
        using var content = new StreamContent(new Watched(file, sent => progress.Show(sent, file.Length, Words.Bytes(sent))));
        content.Headers.ContentType = new("application/x-ndjson");
        if (packed) content.Headers.ContentEncoding.Add("gzip");
        try
        {
            return await session.Api.UploadAsync<ImportReport>("v1/events/import", content, ct);
        }
        finally
        {
            progress.Clear();
        }
    }

    /// <summary>Tells how much of the file was read.</summary>
    private sealed class Watched(Stream inner, Action<long> told) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = inner.Read(buffer, offset, count);
            told(inner.Position);
            return read;
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            told(inner.Position);
            return read;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
