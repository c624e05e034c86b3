using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>
/// The events of a statement as eight arrays: id, type, .NET type, data, correlation, causation, headers, actor. The lists are filled anew for each
/// statement and let go of its payloads afterwards.
/// </summary>
internal sealed class EventArrays
{
    private readonly List<Guid> _ids;
    private readonly List<string> _types, _dotnets;
    private readonly List<ReadOnlyMemory<byte>> _data;
    private readonly List<string?> _correlations, _causations, _actors;
    private readonly List<byte[]?> _headers;

    public EventArrays(NpgsqlParameterCollection all)
    {
        _ids = all.AddList<Guid>(NpgsqlDbType.Uuid);
        _types = all.AddList<string>(NpgsqlDbType.Varchar);
        _dotnets = all.AddList<string>(NpgsqlDbType.Varchar);
        _data = all.AddList<ReadOnlyMemory<byte>>(NpgsqlDbType.Jsonb);
        _correlations = all.AddList<string?>(NpgsqlDbType.Varchar);
        _causations = all.AddList<string?>(NpgsqlDbType.Varchar);
        _headers = all.AddList<byte[]?>(NpgsqlDbType.Jsonb);
        _actors = all.AddList<string?>(NpgsqlDbType.Varchar);
    }

    public int Count => _ids.Count;

    public void Add(Payload[] payloads)
    {
        foreach (var payload in payloads)
        {
            var (metadata, at) = (payload.Event.Metadata, _ids.Count);
            _ids.Add(payload.Event.EventId);
            _types.Add(payload.Name);
            _dotnets.Add(DotnetName.Of(payload.Event.Data.GetType()));
            _data.Add(payload.Json);
            AddUnlessNull(_correlations, metadata.CorrelationId, at);
            AddUnlessNull(_causations, metadata.CausationId, at);
            AddUnlessNull(_headers, payload.Headers, at);
            AddUnlessNull(_actors, metadata.Actor, at);
        }
    }

    public void Clear()
    {
        _ids.Clear();
        _types.Clear();
        _dotnets.Clear();
        _data.Clear();
        _correlations.Clear();
        _causations.Clear();
        _headers.Clear();
        _actors.Clear();
    }

    /// <summary>A list without values stays empty and costs nothing: the server takes what is missing at its end as null.</summary>
    public static void AddUnlessNull<T>(List<T?> list, T? value, int at) where T : class
    {
        if (value is null) return;
        while (list.Count < at) list.Add(null);
        list.Add(value);
    }
}

internal static class ListParameters
{
    /// <summary>An array parameter; what the list holds when the statement runs is sent.</summary>
    public static List<T> AddList<T>(this NpgsqlParameterCollection all, NpgsqlDbType type)
    {
        var list = new List<T>();
        all.Add(new NpgsqlParameter<List<T>> { NpgsqlDbType = NpgsqlDbType.Array | type, TypedValue = list });
        return list;
    }
}
