using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Sentiric.EventStore;

/// <summary>The id of a stream as the column holds it: text or guid. The address was checked by <see cref="EventTables.Address"/>.</summary>
internal sealed class StreamIdParameter
{
    private readonly NpgsqlParameter<string>? _text;
    private readonly NpgsqlParameter<Guid>? _guid;

    public StreamIdParameter(NpgsqlParameterCollection all, EventTables tables)
    {
        if (tables.Identity == StreamIdentity.Guid) all.Add(_guid = new NpgsqlParameter<Guid> { NpgsqlDbType = NpgsqlDbType.Uuid });
        else all.Add(_text = new NpgsqlParameter<string> { NpgsqlDbType = NpgsqlDbType.Varchar });
    }

    public void Set(string streamId)
    {
        if (_text is not null) _text.TypedValue = streamId;
        else if (_guid is not null) _guid.TypedValue = Guid.Parse(streamId, CultureInfo.InvariantCulture);
    }
}

/// <summary>Several of them, in one array.</summary>
internal sealed class StreamIdsParameter
{
    private readonly List<string> _texts = [];
    private readonly List<Guid> _guids = [];
    private readonly bool _isGuid;

    public StreamIdsParameter(NpgsqlParameterCollection all, EventTables tables)
    {
        _isGuid = tables.Identity == StreamIdentity.Guid;
        all.Add(_isGuid
            ? new NpgsqlParameter<List<Guid>> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid, TypedValue = _guids }
            : new NpgsqlParameter<List<string>> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar, TypedValue = _texts });
    }

    public void Add(string streamId)
    {
        if (_isGuid) _guids.Add(Guid.Parse(streamId, CultureInfo.InvariantCulture));
        else _texts.Add(streamId);
    }

    public void Clear()
    {
        _texts.Clear();
        _guids.Clear();
    }
}
