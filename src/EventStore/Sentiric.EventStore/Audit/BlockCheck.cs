using System.Security.Cryptography;
using System.Threading.Channels;
using Npgsql;
using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>One block as far as the events need it: which positions it speaks about.</summary>
internal readonly record struct BlockSpan(long Number, long From, long To);

/// <summary>
/// First part of a verification: the chain of signed blocks, from the first to the last, and the heads of all streams folded out of their lists.
/// What is remembered does not grow with the events but for 24 bytes a block, and takes 72 bytes a stream.
/// </summary>
internal sealed class BlockCheck(AuditTables tables, KeyTrust trust, IEnumerable<string> recordedKeys, ArchivedMarks marks, Findings findings)
{
    private const string Table = "sx_audit_block";
    private readonly List<BlockSpan> _spans = [];
    private readonly List<long> _versions = [];
    private readonly List<byte[]> _heads = [];
    private readonly HashBatch _batch = new();
    private readonly HashSet<string> _keys = new(recordedKeys, StringComparer.Ordinal);
    private Checkpoint? _lastCounted;

    public IReadOnlyList<BlockSpan> Spans => _spans;

    /// <summary>The newest checkpoint that could be read.</summary>
    public Checkpoint? Last { get; private set; }

    /// <summary>False when a list of events is missing or changed: then the chains of streams cannot be folded, and only their rows are compared.</summary>
    public bool KnowsChains { get; private set; } = true;

    public int Streams => _heads.Count;

    public long Version(int ordinal) => _versions[ordinal];

    public ReadOnlySpan<byte> Head(int ordinal) => _heads[ordinal];

    /// <summary>Hands the lists of the blocks behind <paramref name="afterBlock"/> on as it goes, and completes the channel in the end, with what went wrong.</summary>
    public async Task RunAsync(VerifySnapshot snapshot, long afterBlock, ChannelWriter<BlockStretch> stretches, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        try
        {
            await ReadAsync(snapshot, afterBlock, stretches, progress, ct).ConfigureAwait(false);
            stretches.Complete();
        }
        catch (Exception failure)
        {
            stretches.Complete(failure);
            throw;
        }
        CheckNewestKey();
    }

    private async ValueTask ReadAsync(VerifySnapshot snapshot, long afterBlock, ChannelWriter<BlockStretch> stretches, IProgress<VerifyProgress>? progress, CancellationToken ct)
    {
        await using var names = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        await using var view = await snapshot.OpenAsync(ct).ConfigureAwait(false);
        await using var cursor = await StreamNames.OpenAsync(names.Connection, tables, ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(
            "select number, first_position, last_position, statement, signature, entries from sx_audit_block order by number", view.Connection);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var (chains, gathered, done) = (new ChainFold(_batch), new List<ListedBlock>(BlockStretch.MaxBlocks), 0L);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var entries = rows.GetFieldValue<byte[]>(5);
            Check(new BlockSpan(rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2)), new SignedCheckpoint(rows.GetString(3), rows.GetFieldValue<byte[]>(4)), entries);
            if (KnowsChains) await FoldAsync(entries, cursor, chains, ct).ConfigureAwait(false);
            marks.Reserve(Streams);
            done += entries.Length / AuditEntries.Bytes;
            if (_spans[^1].Number > afterBlock) gathered.Add(new ListedBlock(_spans[^1], entries));
            else progress?.Report(new VerifyProgress("blocks", done, 0));
            if (gathered.Count < BlockStretch.MaxBlocks) continue;
            await stretches.WriteAsync(new BlockStretch([.. gathered]), ct).ConfigureAwait(false);
            gathered.Clear();
        }
        if (gathered.Count > 0) await stretches.WriteAsync(new BlockStretch([.. gathered]), ct).ConfigureAwait(false);
    }

    private void Check(BlockSpan row, SignedCheckpoint signed, byte[] entries)
    {
        CheckNumber(row.Number);
        if (signed.Read() is not { } statement)
        {
            Fault(AuditFindingKind.TrailChanged, row.Number, "the statement is not one that a notary writes", "statement");
            _spans.Add(row);
            KnowsChains = false;
            return;
        }
        CheckSignature(row.Number, statement, signed);
        CheckColumns(row, statement);
        CheckLink(row.Number, statement);
        CheckEntries(row.Number, statement, entries);
        Last = statement;
        if (trust.Counts(statement.KeyId)) _lastCounted = statement;
        _spans.Add(new BlockSpan(row.Number, statement.From, statement.To));
    }

    private void CheckNumber(long number)
    {
        var expected = _spans.Count == 0 ? 1 : _spans[^1].Number + 1;
        if (number == expected) return;
        KnowsChains = false;
        if (number > expected) Fault(AuditFindingKind.TrailRemoved, expected, number == expected + 1 ? "the block is missing" : $"the blocks up to {number - 1} are missing");
        else Fault(AuditFindingKind.TrailInserted, number, "a block before the first");
    }

    private void CheckSignature(long number, Checkpoint statement, SignedCheckpoint signed)
    {
        if (_keys.Add(statement.KeyId)) findings.Add(new AuditFinding(AuditFindingKind.TrailRemoved, "sx_audit_key", $"key {statement.KeyId} signed and is not on record") { Block = number });
        if (trust.Find(statement.KeyId) is not { } key) Fault(AuditFindingKind.SignatureWrong, number, $"key {statement.KeyId} is not known", "statement");
        else if (!key.Signed(signed.Statement, signed.Signature)) Fault(AuditFindingKind.SignatureWrong, number, "statement and signature do not fit", "statement", "signature");
    }

    private void CheckColumns(BlockSpan row, Checkpoint statement)
    {
        var columns = new List<string>();
        if (row.Number != statement.Number) columns.Add("number");
        if (row.From != statement.From) columns.Add("first_position");
        if (row.To != statement.To) columns.Add("last_position");
        if (columns.Count > 0) Fault(AuditFindingKind.TrailChanged, row.Number, "the row does not say what its statement says", [.. columns]);
    }

    private void CheckLink(long number, Checkpoint statement)
    {
        if (_spans.Count > 0 && _spans[^1].Number + 1 != number) return;
        var (hash, from) = _spans.Count == 0 ? (Checkpoint.NoPrevious, 1) : (Last?.Hash, Last?.To + 1);
        // A block before that could not be read has been told already.
        if (_spans.Count > 0 && Last?.Number != number - 1) return;
        if (statement.Previous != hash || statement.From != from) Fault(AuditFindingKind.TrailChanged, number, "the block does not follow the one before", "statement");
    }

    private void CheckEntries(long number, Checkpoint statement, byte[] entries)
    {
        if (AuditHash.Hex(SHA256.HashData(entries)) != statement.Entries || entries.Length % AuditEntries.Bytes != 0)
        {
            KnowsChains = false;
            Fault(AuditFindingKind.TrailChanged, number, "the list of events is not the one that was signed", "entries");
            return;
        }
        var count = entries.Length / AuditEntries.Bytes;
        var leaves = new byte[count * AuditHash.Size];
        for (var i = 0; i < count; i++) AuditEntries.Leaf(entries.AsSpan(i * AuditEntries.Bytes, AuditEntries.Bytes)).CopyTo(leaves.AsSpan(i * AuditHash.Size));
        if (count != statement.Events || AuditHash.Hex(MerkleTree.Root(leaves, _batch)) != statement.Root)
            Fault(AuditFindingKind.TrailChanged, number, "root and list of events do not fit", "entries", "statement");
    }

    private async ValueTask FoldAsync(byte[] entries, StreamNames names, ChainFold chains, CancellationToken ct)
    {
        for (var i = 0; i < entries.Length / AuditEntries.Bytes; i++)
        {
            var ordinal = AuditEntries.Ordinal(EntryOf(entries, i));
            if (ordinal < 0 || ordinal > _heads.Count)
            {
                // Only whoever can sign can write this; that the signature is wrong has been told.
                KnowsChains = false;
                break;
            }
            if (ordinal == _heads.Count)
            {
                var (tenant, streamId) = await names.NextAsync(ordinal, ct).ConfigureAwait(false);
                _heads.Add(AuditHash.Genesis(ordinal, tenant, streamId));
                _versions.Add(0);
            }
            chains.Add(_heads[(int)ordinal], i);
            _versions[(int)ordinal] = AuditEntries.Version(EntryOf(entries, i));
        }
        chains.Run(entries);
    }

    private static ReadOnlySpan<byte> EntryOf(byte[] entries, int index) => entries.AsSpan(index * AuditEntries.Bytes, AuditEntries.Bytes);

    // What stands before a block that counts is vouched for by it, since it names the block before. What comes after it is not.
    private void CheckNewestKey()
    {
        if (Last is null || _lastCounted == Last) return;
        Fault(AuditFindingKind.SignatureWrong, Last.Number, _lastCounted is null
            ? $"no block is signed with a key that counts; the newest has key {Last.KeyId}"
            : $"the blocks behind {_lastCounted.Number} are signed with key {Last.KeyId}, which no trusted key vouches for", "statement");
    }

    private void Fault(AuditFindingKind kind, long number, string what, params string[] columns) =>
        findings.Add(new AuditFinding(kind, Table, what) { Block = number, Columns = columns });
}

/// <summary>Names of streams in the order of the directory, one at a time.</summary>
internal sealed class StreamNames(NpgsqlCommand command, NpgsqlDataReader rows) : IAsyncDisposable
{
    private bool _hasRow;
    private bool _isOver;

    public static async ValueTask<StreamNames> OpenAsync(NpgsqlConnection connection, AuditTables tables, CancellationToken ct)
    {
        var command = new NpgsqlCommand("select ordinal, tenant_id, stream_id from sx_audit_stream order by ordinal", connection);
        return new StreamNames(command, await command.ExecuteReaderAsync(ct).ConfigureAwait(false));
    }

    /// <summary>Empty names for a stream whose row is missing: its chain will not fit, and its row is told elsewhere.</summary>
    public async ValueTask<(string Tenant, string StreamId)> NextAsync(long ordinal, CancellationToken ct)
    {
        while (!_isOver)
        {
            if (!_hasRow && !(_hasRow = await rows.ReadAsync(ct).ConfigureAwait(false))) _isOver = true;
            else if (rows.GetInt64(0) < ordinal) _hasRow = false;
            else break;
        }
        if (_isOver || rows.GetInt64(0) != ordinal) return ("", "");
        _hasRow = false;
        return (rows.GetString(1), rows.GetString(2));
    }

    public async ValueTask DisposeAsync()
    {
        await rows.DisposeAsync().ConfigureAwait(false);
        await command.DisposeAsync().ConfigureAwait(false);
    }
}
