using Sentiric.EventStore.Proofs;

namespace Sentiric.EventStore;

/// <summary>What a verification looks at, and whom it believes.</summary>
/// <param name="TrustedKeys">Public keys that did not come out of the database; at least one. A key that one of them vouches for counts as well.</param>
public sealed record VerifyOptions(IReadOnlyList<AuditPublicKey> TrustedKeys)
{
    /// <summary>One tenant's streams only; null: all.</summary>
    public string? Tenant { get; init; }

    /// <summary>One stream of <see cref="Tenant"/> only.</summary>
    public string? StreamId { get; init; }

    /// <summary>Events up to the end of this block are not read again; the chain of blocks and of streams is still checked from the first.</summary>
    public long AfterBlock { get; init; }

    /// <summary>Checkpoints that were kept elsewhere: the database must hold each of them, as it was. This is what finds a history that was rewritten as a whole, or set back.</summary>
    public IReadOnlyList<SignedCheckpoint> Anchors { get; init; } = [];

    /// <summary>Connections that read events side by side, 1 to 16; 0: half the processors, at most 4.</summary>
    public int Parallelism { get; init; }
}

public enum AuditFindingKind
{
    /// <summary>A column of an event is not what was signed.</summary>
    EventChanged,

    /// <summary>A signed event is not there, and no lawful removal names it.</summary>
    EventRemoved,

    /// <summary>An event stands where the signed history has none.</summary>
    EventInserted,

    /// <summary>A number was never used, and the log of skipped numbers does not say so.</summary>
    HoleNotRecorded,

    /// <summary>The row of a stream does not fit its events.</summary>
    StreamChanged,

    /// <summary>A stream with signed events has no row.</summary>
    StreamRemoved,

    /// <summary>A stream's row without events.</summary>
    StreamInserted,

    /// <summary>A row of the audit tables is not as it was written.</summary>
    TrailChanged,

    /// <summary>A row of the audit tables is missing.</summary>
    TrailRemoved,

    /// <summary>A row of the audit tables that the notary did not write.</summary>
    TrailInserted,

    /// <summary>Since removals are ordered with a key, a record of one was written that no key ordered: somebody else took the events away.</summary>
    RemovalNotOrdered,

    /// <summary>A signature is wrong, or its key is not one that counts.</summary>
    SignatureWrong,

    /// <summary>A checkpoint that was kept elsewhere is not the one in the database.</summary>
    AnchorMissing,
}

/// <summary>One thing that is not as it was signed. Columns names what differs, as far as it can be told.</summary>
public sealed record AuditFinding(AuditFindingKind Kind, string Table, string What)
{
    public long? Position { get; init; }

    public string? Tenant { get; init; }

    public string? StreamId { get; init; }

    public long? Version { get; init; }

    public long? Block { get; init; }

    public IReadOnlyList<string> Columns { get; init; } = [];

    public override string ToString() =>
        FormattableString.Invariant($"{Kind} {Table}: {What} [position {Position}, tenant {Tenant}, stream {StreamId}, version {Version}, block {Block}] {string.Join(", ", Columns)}");
}

/// <summary>The outcome of a verification.</summary>
/// <param name="Events">Signed events that were compared with the log.</param>
/// <param name="Pending">Events that are stored and not signed yet: nothing is proven of them.</param>
/// <param name="Removed">Events that were removed by right and of which the trail holds the leaf.</param>
/// <param name="Removals">Who removed them and why, the first <see cref="MaxFindings"/>. That a record is as it was signed does not make it true: the reader must know each of them.</param>
/// <param name="Last">The newest checkpoint; null when nothing has been signed yet.</param>
/// <param name="Findings">The first <see cref="MaxFindings"/> of <paramref name="FindingCount"/>.</param>
public sealed record AuditReport(
    long Events, long Streams, long Blocks, long Pending, long Removed, IReadOnlyList<LegalRemoval> Removals, Checkpoint? Last,
    IReadOnlyList<AuditFinding> Findings, long FindingCount, TimeSpan Took)
{
    public const int MaxFindings = 1_000;

    public bool IsSound => FindingCount == 0;
}

/// <summary>Events of a stream, up to a version, that are gone by right: deleted, or in <paramref name="File"/>.</summary>
/// <param name="At">When, as the record says.</param>
/// <param name="SignedAt">When the notary signed the record; null when it has not yet.</param>
/// <param name="OrderedBy">The key whose holder ordered the removal; null when nobody did whose key counts.</param>
public sealed record LegalRemoval(
    string Tenant, string StreamId, long UpToVersion, string Why, string? Actor, DateTimeOffset At, string? File, DateTimeOffset? SignedAt = null, string? OrderedBy = null,
    RemovalStanding Standing = RemovalStanding.NotOrdered);

/// <summary>Who vouches for a removal.</summary>
public enum RemovalStanding
{
    /// <summary>A key that counts signed the record in the transaction that removed.</summary>
    Ordered,

    /// <summary>No key did, and no removal before it was ordered either: it is told, not proven.</summary>
    BeforeOrders,

    /// <summary>No key vouches for it although one did for a removal before it, or the order that there was is gone: there is a finding about it.</summary>
    NotOrdered,
}

/// <summary>What vouches for the record of a truncation.</summary>
/// <param name="SignedAt">When the notary signed it; null when it has not yet.</param>
/// <param name="OrderedBy">As in <see cref="LegalRemoval"/>.</param>
public sealed record TruncationOrder(DateTimeOffset? SignedAt, string? OrderedBy, RemovalStanding Standing)
{
    /// <summary>Of a record that is not the one that was signed.</summary>
    public static readonly TruncationOrder None = new(null, null, RemovalStanding.NotOrdered);
}

/// <summary>How far a verification is; <paramref name="Total"/> counts events and may be 0 while it is not known.</summary>
public sealed record VerifyProgress(string Phase, long Done, long Total);

/// <summary>Gathers findings from all parts of a verification; safe for several threads. Remembers a bounded number and counts the rest.</summary>
internal sealed class Findings
{
    private readonly Lock _lock = new();
    private readonly List<AuditFinding> _list = [];

    public long Count { get; private set; }

    public IReadOnlyList<AuditFinding> List
    {
        get
        {
            lock (_lock) return [.. _list];
        }
    }

    /// <summary>False when the finding was only counted.</summary>
    public bool Add(AuditFinding finding)
    {
        lock (_lock)
        {
            Count++;
            if (_list.Count == AuditReport.MaxFindings) return false;
            _list.Add(finding);
            return true;
        }
    }

    /// <summary>Takes over what another part found beside this one.</summary>
    public void Add(Findings others)
    {
        lock (_lock)
        {
            Count += others.Count;
            _list.AddRange(others.List.Take(AuditReport.MaxFindings - _list.Count));
        }
    }

    /// <summary>Puts the names of streams into findings that only know their place in the directory.</summary>
    public void Name(IReadOnlyDictionary<long, (string Tenant, string StreamId)> names, IReadOnlyDictionary<AuditFinding, long> ordinals)
    {
        lock (_lock)
        {
            for (var i = 0; i < _list.Count; i++)
            {
                if (ordinals.TryGetValue(_list[i], out var ordinal) && names.TryGetValue(ordinal, out var name))
                    _list[i] = _list[i] with { Tenant = name.Tenant, StreamId = name.StreamId };
            }
        }
    }
}
