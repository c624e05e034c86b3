namespace Sentiric.EventStore;

/// <summary>
/// What one statement stores: streams in the order in which every process locks them, each once. A second append to a stream joins the first
/// where it cannot but follow it; then both stand or fall together, and when they fall each is tried alone.
/// </summary>
internal sealed class AppendGroup(bool remember)
{
    // A lone append needs no directory.
    private Dictionary<StreamAddress, StreamShare>? _streams;

    public bool Remember { get; } = remember;
    public int Appends { get; private set; }
    public int Events { get; private set; }
    public long Bytes { get; private set; }

    /// <summary>Events of its largest append.</summary>
    public int Largest { get; private set; }

    public List<StreamShare> Streams { get; } = [];

    public IEnumerable<AppendRequest> Requests => Streams.SelectMany(s => s.Requests);

    public static AppendGroup Of(AppendRequest request)
    {
        var group = new AppendGroup(request.Remember);
        group.Streams.Add(new StreamShare(request));
        group.Count(request);
        return group;
    }

    public static AppendGroup Of(StreamShare share)
    {
        var group = new AppendGroup(share.Requests[0].Remember);
        group.Streams.Add(share);
        foreach (var request in share.Requests) group.Count(request);
        return group;
    }

    public bool Has(StreamAddress address) => Streams.Exists(s => s.Address == address);

    /// <summary>False when it must go with another statement.</summary>
    public bool TryAdd(AppendRequest request)
    {
        if (request.Remember != Remember) return false;
        _streams ??= Streams.ToDictionary(s => s.Address);
        if (_streams.TryGetValue(request.Address, out var share))
        {
            if (!share.TryFollow(request)) return false;
        }
        else
        {
            _streams.Add(request.Address, share = new StreamShare(request));
            Streams.Add(share);
        }
        Count(request);
        return true;
    }

    private void Count(AppendRequest request)
    {
        Appends++;
        Events += request.Events;
        Bytes += request.Bytes;
        Largest = Math.Max(Largest, request.Events);
    }

    public void Sort()
    {
        if (Streams.Count > 1) Streams.Sort(static (a, b) => StreamAddress.Compare(a.Address, b.Address));
    }
}

/// <summary>One stream's appends of a statement.</summary>
internal sealed class StreamShare(AppendRequest first)
{
    public StreamAddress Address => Requests[0].Address;
    public ExpectedVersion Expected => Requests[0].Plan.Expected;
    public string? AggregateType => Requests[0].Plan.AggregateType;
    public List<AppendRequest> Requests { get; } = [first];
    public int Events { get; private set; } = first.Events;

    public bool TryFollow(AppendRequest request)
    {
        var expected = request.Plan.Expected;
        var follows = expected == ExpectedVersion.Any || expected == ExpectedVersion.StreamExists
            || (Expected.Value >= 0 && expected.Value == Expected.Value + Events);
        if (!follows) return false;
        Requests.Add(request);
        Events += request.Events;
        return true;
    }
}
