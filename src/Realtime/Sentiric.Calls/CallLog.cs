using Sentiric.Contracts.Events;

namespace Sentiric.Calls;

/// <summary>
/// What one call has to tell. The tenant is known only when the route is found; until then the facts wait here.
/// Written by the call's own task, by the SIP trace and by the media adapter, hence the lock.
/// </summary>
public sealed class CallLog(FactWriter writer, Guid callId, string actor)
{
    /// <summary>Tenant of calls that reach nobody: wrong numbers, scanners that got through.</summary>
    public const string NobodysTenant = "system";

    private const int MaxWaiting = 200;
    private readonly Lock _gate = new();
    private readonly List<object> _waiting = [];
    private string? _tenant;

    public string Tenant => _tenant ?? NobodysTenant;

    public void Note(object fact)
    {
        lock (_gate)
        {
            if (_tenant is not null)
            {
                writer.Write(_tenant, Streams.Call(callId), fact, actor);
            }
            else if (_waiting.Count < MaxWaiting)
            {
                _waiting.Add(fact);
            }
        }
    }

    public void BelongsTo(string tenant)
    {
        lock (_gate)
        {
            if (_tenant is not null)
            {
                return;
            }

            _tenant = tenant;
            foreach (var fact in _waiting)
            {
                writer.Write(tenant, Streams.Call(callId), fact, actor);
            }

            _waiting.Clear();
        }
    }
}
