using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Sentiric.EventStore;

/// <summary>
/// The folder with the files. A file counts from the moment its manifest is there; the manifest is written after the file is on the disk under its last name.
/// <code>
///   x.partial     written, fsync          crash: swept at the next run
///   x.ndjson.gz   renamed, folder fsync   crash: swept at the next run, nothing was deleted yet
///   x.ndjson.gz.manifest.json             now rows may go
/// </code>
/// </summary>
internal sealed class ArchiveFolder(string path)
{
    public const string Extension = ".ndjson.gz";
    public const string ManifestExtension = ".manifest.json";
    private const string Partial = ".partial";
    private const int Format = 1;
    private const int MaxLineBytes = 8 * 1024 * 1024;

    /// <summary>Writes the rows, which come stream by stream in order of version, and returns what is now safe on the disk.</summary>
    public async ValueTask<FileManifest> WriteAsync(IAsyncEnumerable<StoredRow> rows, DateTimeOffset now, CancellationToken ct)
    {
        Directory.CreateDirectory(path);
        var name = string.Create(CultureInfo.InvariantCulture, $"streams-{now.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{Guid.NewGuid():N}{Extension}");
        var partial = Path.Combine(path, name + Partial);
        var streams = await WriteRowsAsync(partial, rows, ct).ConfigureAwait(false);
        File.Move(partial, Path.Combine(path, name));
        SyncFolder();
        var manifest = new FileManifest(Format, name, Convert.ToHexStringLower(await HashAsync(name, ct).ConfigureAwait(false)), new FileInfo(Path.Combine(path, name)).Length, now, streams);
        await VerifyAsync(manifest, ct).ConfigureAwait(false);
        await WriteManifestAsync(manifest, ct).ConfigureAwait(false);
        return manifest;
    }

    /// <summary>Every manifest in the folder, in order of name, which is the order of time.</summary>
    public async ValueTask<IReadOnlyList<FileManifest>> ManifestsAsync(CancellationToken ct)
    {
        if (!Directory.Exists(path)) return [];
        var found = new List<FileManifest>();
        foreach (var file in Directory.GetFiles(path, "*" + Extension + ManifestExtension).Order(StringComparer.Ordinal))
            found.Add(await ReadManifestAsync(Path.GetFileName(file)[..^ManifestExtension.Length], ct).ConfigureAwait(false));
        return found;
    }

    public async ValueTask<FileManifest> ReadManifestAsync(string name, CancellationToken ct)
    {
        try
        {
            await using var file = File.OpenRead(Path.Combine(path, Path.GetFileName(name) + ManifestExtension));
            var manifest = await JsonSerializer.DeserializeAsync(file, FileArchiveJson.Default.FileManifest, ct).ConfigureAwait(false);
            if (manifest is not { Format: Format } || manifest.File != name) throw new ArchiveFileException(name, "its manifest is not one that this program knows.");
            return manifest;
        }
        catch (Exception broken) when (broken is IOException or JsonException)
        {
            throw new ArchiveFileException(name, "its manifest cannot be read: " + broken.Message, broken);
        }
    }

    /// <summary>Reads the whole file once: the hash of the file and of every stream, the number of events.</summary>
    public async ValueTask VerifyAsync(FileManifest manifest, CancellationToken ct)
    {
        if (Convert.ToHexStringLower(await HashAsync(manifest.File, ct).ConfigureAwait(false)) != manifest.Sha256) throw new ArchiveFileException(manifest.File, "its hash is not that of the manifest.");
        var streams = await EntriesAsync(RowsAsync(manifest.File, ct), null, ct).ConfigureAwait(false);
        if (!streams.SequenceEqual(manifest.Streams)) throw new ArchiveFileException(manifest.File, "its streams are not those of the manifest.");
    }

    /// <summary>The rows of a file in its order.</summary>
    public async IAsyncEnumerable<StoredRow> RowsAsync(string name, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var file = Open(name);
        await using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        using var lines = new StreamReader(unzipped);
        while (await NextAsync(lines, name, ct).ConfigureAwait(false) is { } line)
        {
            if (line.Length > MaxLineBytes) throw new ArchiveFileException(name, "a line is longer than any event.");
            StoredRow row;
            try
            {
                row = StoredRow.Parse(System.Text.Encoding.UTF8.GetBytes(line), archived: true);
            }
            catch (Exception broken) when (broken is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
            {
                throw new ArchiveFileException(name, "a line is no event: " + broken.Message, broken);
            }
            yield return row;
        }
    }

    /// <summary>The rows of one stream; whoever reads to the end is told when they are not those that left the tables.</summary>
    public async IAsyncEnumerable<StoredRow> StreamAsync(
        string name, StreamAddress stream, byte[] sha256, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        using var hash = new RowHash();
        await foreach (var row in RowsAsync(name, ct).ConfigureAwait(false))
        {
            if (row.Tenant != stream.Tenant || row.StreamId != stream.StreamId) continue;
            hash.Add(row);
            yield return row;
        }
        if (!hash.Finish().AsSpan().SequenceEqual(sha256)) throw new ArchiveFileException(name, $"it does not hold stream '{stream.StreamId}' of tenant '{stream.Tenant}' as that left the tables.");
    }

    /// <summary>Removes what a crash left before anything was deleted: unfinished files, and finished ones without a manifest that no stream points to.</summary>
    public void Sweep(IReadOnlySet<string> inUse)
    {
        if (!Directory.Exists(path)) return;
        foreach (var file in Directory.GetFiles(path, "streams-*" + Extension + "*" + Partial)) File.Delete(file);
        foreach (var file in Directory.GetFiles(path, "streams-*" + Extension))
        {
            if (!inUse.Contains(Path.GetFileName(file)) && !File.Exists(file + ManifestExtension)) File.Delete(file);
        }
    }

    private static async ValueTask<string?> NextAsync(StreamReader lines, string name, CancellationToken ct)
    {
        try
        {
            return await lines.ReadLineAsync(ct).ConfigureAwait(false);
        }
        catch (InvalidDataException broken)
        {
            throw new ArchiveFileException(name, "it is not whole: " + broken.Message, broken);
        }
    }

    private static async ValueTask<IReadOnlyList<ArchivedStreamEntry>> WriteRowsAsync(string partial, IAsyncEnumerable<StoredRow> rows, CancellationToken ct)
    {
        await using var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write);
        IReadOnlyList<ArchivedStreamEntry> streams;
        await using (var zipped = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true))
            streams = await EntriesAsync(rows, zipped, ct).ConfigureAwait(false);
        file.Flush(flushToDisk: true);
        return streams;
    }

    /// <summary>What the rows add up to, stream by stream; their lines go to <paramref name="output"/> where one is given.</summary>
    private static async ValueTask<IReadOnlyList<ArchivedStreamEntry>> EntriesAsync(IAsyncEnumerable<StoredRow> rows, System.IO.Stream? output, CancellationToken ct)
    {
        var streams = new List<ArchivedStreamEntry>();
        using var hash = new RowHash();
        ArchivedStreamEntry? current = null;
        await foreach (var row in rows.WithCancellation(ct).ConfigureAwait(false))
        {
            if (current is not null && (current.Tenant, current.StreamId) != (row.Tenant, row.StreamId))
            {
                streams.Add(current with { Sha256 = Convert.ToHexStringLower(hash.Finish()) });
                current = null;
            }
            var line = hash.Add(row);
            if (output is not null) await output.WriteAsync(line, ct).ConfigureAwait(false);
            current = current is null
                ? new ArchivedStreamEntry(row.Tenant, row.StreamId, row.Version, 1, row.Position, row.Position, "")
                : current with { Version = row.Version, Events = current.Events + 1, LastPosition = row.Position };
        }
        if (current is not null) streams.Add(current with { Sha256 = Convert.ToHexStringLower(hash.Finish()) });
        return streams;
    }

    private async ValueTask WriteManifestAsync(FileManifest manifest, CancellationToken ct)
    {
        var last = Path.Combine(path, manifest.File + ManifestExtension);
        await using (var file = new FileStream(last + Partial, FileMode.Create, FileAccess.Write))
        {
            await JsonSerializer.SerializeAsync(file, manifest, FileArchiveJson.Default.FileManifest, ct).ConfigureAwait(false);
            file.Flush(flushToDisk: true);
        }
        File.Move(last + Partial, last);
        SyncFolder();
    }

    private async ValueTask<byte[]> HashAsync(string name, CancellationToken ct)
    {
        await using var file = Open(name);
        return await SHA256.HashDataAsync(file, ct).ConfigureAwait(false);
    }

    private FileStream Open(string name)
    {
        try
        {
            return File.OpenRead(Path.Combine(path, Path.GetFileName(name)));
        }
        catch (IOException missing)
        {
            throw new ArchiveFileException(name, missing.Message, missing);
        }
    }

    /// <summary>A new name survives a crash only when its folder is on the disk as well (fsync(2)); other systems than Linux do that by themselves or not at all.</summary>
    private void SyncFolder()
    {
        if (!OperatingSystem.IsLinux()) return;
        var folder = OpenFolder(path, 0);
        if (folder < 0) throw new IOException($"The folder '{path}' cannot be opened.");
        try
        {
            if (Fsync(folder) != 0) throw new IOException($"The folder '{path}' cannot be written to the disk.");
        }
        finally
        {
            _ = Close(folder);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int OpenFolder([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);
}
