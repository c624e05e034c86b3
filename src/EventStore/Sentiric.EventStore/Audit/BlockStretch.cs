namespace Sentiric.EventStore;

/// <summary>One block with its list of events as it stands in the table (<see cref="AuditEntries"/>).</summary>
internal readonly record struct ListedBlock(BlockSpan Span, byte[] Entries);

/// <summary>
/// Some blocks in a row, on their way from the check of blocks to that of events. The lists are read once: while the events of a stretch are compared, the
/// blocks of the next are checked. As many stretches wait as there are comparers, and that many lists are in memory besides those being compared.
/// </summary>
internal sealed record BlockStretch(IReadOnlyList<ListedBlock> Blocks)
{
    /// <summary>Few enough that the first comparer starts soon and the last one ends soon after the last block, many enough that a COPY for each is no cost.</summary>
    public const int MaxBlocks = 16;

    public long From => Blocks[0].Span.From;

    public long To => Blocks[^1].Span.To;
}

/// <summary>
/// Two bits for each stream: has archived events, has live ones. Room is made by the thread that reads the blocks, before it hands over the first event of a
/// stream; bits are set from several threads. Parts stay where they are when there are more of them, so that no bit is lost.
/// </summary>
internal sealed class ArchivedMarks
{
    private const int ArchivedFlag = 1, LiveFlag = 2;
    private const int PartBits = 14;
    private const int PartSize = 1 << PartBits;
    private volatile int[][] _parts = [];

    public void Reserve(int streams)
    {
        if (streams <= _parts.Length * PartSize) return;
        _parts = [.. _parts, .. Enumerable.Range(0, (streams + PartSize - 1) / PartSize - _parts.Length).Select(_ => new int[PartSize])];
    }

    public bool HasArchived(long ordinal) => (Find(ordinal) & ArchivedFlag) != 0;

    public bool HasLive(long ordinal) => (Find(ordinal) & LiveFlag) != 0;

    /// <summary>The stream has an event with this flag; null, which no event should have, counts as both.</summary>
    public void Set(long ordinal, bool? isArchived)
    {
        var parts = _parts;
        if (ordinal < 0 || ordinal >> PartBits >= parts.Length) return;
        ref var bits = ref parts[ordinal >> PartBits][ordinal & (PartSize - 1)];
        var flag = isArchived switch { true => ArchivedFlag, false => LiveFlag, null => ArchivedFlag | LiveFlag };
        if ((Volatile.Read(ref bits) & flag) != flag) Interlocked.Or(ref bits, flag);
    }

    private int Find(long ordinal)
    {
        var parts = _parts;
        return ordinal < 0 || ordinal >> PartBits >= parts.Length ? 0 : Volatile.Read(ref parts[ordinal >> PartBits][ordinal & (PartSize - 1)]);
    }
}
