using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sentiric.Speech.Native;

/// <summary>An input or output of a model. A dimension that the caller chooses is -1.</summary>
public sealed record OnnxPort(string Name, IReadOnlyList<long> Shape);

/// <summary>
/// A loaded model. <see cref="Run"/> may be called from many threads at once; each run stays on the thread of its caller
/// (one thread inside, no spinning: many sessions side by side are worth more than one fast one).
/// </summary>
public sealed unsafe class OnnxSession : IDisposable
{
    private const int OptimiseEverything = 99;
    private readonly OnnxRuntime runtime;
    private readonly OnnxHandle handle;
    private readonly List<byte[]> pinnedNames = [];
    private readonly nint[] inputNames;
    private readonly nint[] outputNames;

    /// <summary>Loads a model file. Throws <see cref="SpeechEngineException"/> when it is missing or cannot be read as a model.</summary>
    public OnnxSession(OnnxRuntime runtime, string modelPath)
    {
        if (!File.Exists(modelPath))
        {
            throw new SpeechEngineException(
                SpeechFault.ModelMissing, $"The model {modelPath} was not found.", "Fetch the model or correct its path in the speech settings.");
        }

        this.runtime = runtime;
        try
        {
            handle = new OnnxHandle(runtime, Create(modelPath), OrtEntry.ReleaseSession);
            Inputs = Ports(OrtEntry.SessionGetInputCount, OrtEntry.SessionGetInputName, OrtEntry.SessionGetInputTypeInfo);
            Outputs = Ports(OrtEntry.SessionGetOutputCount, OrtEntry.SessionGetOutputName, OrtEntry.SessionGetOutputTypeInfo);
        }
        catch (OnnxRuntimeException broken)
        {
            handle?.Dispose();
            throw new SpeechEngineException(
                SpeechFault.ModelCorrupt,
                $"The model {modelPath} cannot be loaded: {broken.Message}",
                "Fetch the file again and compare its SHA-256 with the manifest.",
                broken);
        }

        inputNames = [.. Inputs.Select(port => Pin(port.Name))];
        outputNames = [.. Outputs.Select(port => Pin(port.Name))];
    }

    public IReadOnlyList<OnnxPort> Inputs { get; }

    public IReadOnlyList<OnnxPort> Outputs { get; }

    /// <summary>Memory for one input or output; the model reads it or writes it in place.</summary>
    public OnnxTensor<T> NewTensor<T>(params ReadOnlySpan<long> shape)
        where T : unmanaged => new(runtime, shape);

    /// <summary>Runs the model once. The tensors stand in the order of <see cref="Inputs"/> and <see cref="Outputs"/>.</summary>
    public void Run(ReadOnlySpan<OnnxTensor> inputs, ReadOnlySpan<OnnxTensor> outputs)
    {
        nint* values = stackalloc nint[inputs.Length + outputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            values[i] = inputs[i].Value;
        }

        for (int i = 0; i < outputs.Length; i++)
        {
            values[inputs.Length + i] = outputs[i].Value;
        }

        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            fixed (nint* inNames = inputNames, outNames = outputNames)
            {
                runtime.Check(((delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)runtime.Entry(OrtEntry.Run))(
                    handle.DangerousGetHandle(), 0, inNames, values, (nuint)inputs.Length, outNames, (nuint)outputs.Length, values + inputs.Length));
            }
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    public void Dispose() => handle.Dispose();

    /// <summary>The C string of a name, at an address that holds as long as this session.</summary>
    private nint Pin(string name)
    {
        byte[] text = OnnxRuntime.Utf8(name);
        byte[] pinned = GC.AllocateUninitializedArray<byte>(text.Length, pinned: true);
        text.CopyTo(pinned, 0);
        pinnedNames.Add(pinned);
        return Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);
    }

    private nint Create(string modelPath)
    {
        nint options;
        runtime.Check(((delegate* unmanaged<nint*, nint>)runtime.Entry(OrtEntry.CreateSessionOptions))(&options));
        try
        {
            SetNumber(options, OrtEntry.SetIntraOpNumThreads, 1);
            SetNumber(options, OrtEntry.SetInterOpNumThreads, 1);
            SetNumber(options, OrtEntry.SetSessionGraphOptimizationLevel, OptimiseEverything);
            nint session;
            fixed (byte* key = "session.intra_op.allow_spinning\0"u8, value = "0\0"u8, path = OnnxRuntime.Utf8(modelPath))
            {
                runtime.Check(((delegate* unmanaged<nint, byte*, byte*, nint>)runtime.Entry(OrtEntry.AddSessionConfigEntry))(options, key, value));
                runtime.Check(((delegate* unmanaged<nint, byte*, nint, nint*, nint>)runtime.Entry(OrtEntry.CreateSession))(
                    runtime.Environment, path, options, &session));
            }

            return session;
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)runtime.Entry(OrtEntry.ReleaseSessionOptions))(options);
        }
    }

    private void SetNumber(nint options, int entry, int value) =>
        runtime.Check(((delegate* unmanaged<nint, int, nint>)runtime.Entry(entry))(options, value));

    private List<OnnxPort> Ports(int countEntry, int nameEntry, int typeEntry)
    {
        nint session = handle.DangerousGetHandle();
        nuint count;
        runtime.Check(((delegate* unmanaged<nint, nuint*, nint>)runtime.Entry(countEntry))(session, &count));
        var ports = new List<OnnxPort>((int)count);
        for (nuint i = 0; i < count; i++)
        {
            ports.Add(new OnnxPort(PortName(session, nameEntry, i), PortShape(session, typeEntry, i)));
        }

        return ports;
    }

    private string PortName(nint session, int entry, nuint index)
    {
        nint allocator;
        runtime.Check(((delegate* unmanaged<nint*, nint>)runtime.Entry(OrtEntry.GetAllocatorWithDefaultOptions))(&allocator));
        byte* name;
        runtime.Check(((delegate* unmanaged<nint, nuint, nint, byte**, nint>)runtime.Entry(entry))(session, index, allocator, &name));
        string text = Marshal.PtrToStringUTF8((nint)name) ?? "";
        runtime.Check(((delegate* unmanaged<nint, void*, nint>)runtime.Entry(OrtEntry.AllocatorFree))(allocator, name));
        return text;
    }

    private long[] PortShape(nint session, int entry, nuint index)
    {
        nint type;
        runtime.Check(((delegate* unmanaged<nint, nuint, nint*, nint>)runtime.Entry(entry))(session, index, &type));
        try
        {
            nint tensor; // borrowed from the type; 0 when the port is not a tensor
            runtime.Check(((delegate* unmanaged<nint, nint*, nint>)runtime.Entry(OrtEntry.CastTypeInfoToTensorInfo))(type, &tensor));
            nuint rank = 0;
            if (tensor != 0)
            {
                runtime.Check(((delegate* unmanaged<nint, nuint*, nint>)runtime.Entry(OrtEntry.GetDimensionsCount))(tensor, &rank));
            }

            var shape = new long[rank];
            fixed (long* dimensions = shape)
            {
                if (rank > 0)
                {
                    runtime.Check(((delegate* unmanaged<nint, long*, nuint, nint>)runtime.Entry(OrtEntry.GetDimensions))(tensor, dimensions, rank));
                }
            }

            return shape;
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)runtime.Entry(OrtEntry.ReleaseTypeInfo))(type);
        }
    }
}

/// <summary>An object of the C API that is released with its own entry of the table.</summary>
internal sealed unsafe class OnnxHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly OnnxRuntime runtime;
    private readonly int releaseEntry;

    public OnnxHandle(OnnxRuntime runtime, nint value, int releaseEntry)
        : base(ownsHandle: true)
    {
        this.runtime = runtime;
        this.releaseEntry = releaseEntry;
        SetHandle(value);
    }

    protected override bool ReleaseHandle()
    {
        ((delegate* unmanaged<nint, void>)runtime.Entry(releaseEntry))(handle);
        return true;
    }
}
