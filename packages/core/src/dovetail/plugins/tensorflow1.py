"""What Dovetail leaves out of TensorFlow 1's Python API, with what to use, and where it differs.

Errors and docs/tensorflow1.md are made from these tables. A key is a space: the empty string is the root, ``nn`` is
``dt.nn``. In a space, a string of names divided by blanks has the advice that all of them share.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ABSENT", "DIFFERS"]

_ARRAYS_IN: Final = "read files by dt.data.from_csv, dt.data.from_text or dt.data.from_generator"
_NO_EAGER: Final = "build a graph and run it in a dt.Session"
_NO_PROTOBUF: Final = (
    "graphs are written by dt.train.export_meta_graph or dt.save, and read by dt.train.import_meta_graph"
)
_NO_QUANTIZATION: Final = "compute in float32, float16 or bfloat16"
_NO_SPARSE: Final = "use dense tensors, which dt.sparse_tensor_to_dense makes of a dt.SparseTensor"
_ONE_PROCESS: Final = "training runs in one process, on all its cores"
_WHOLE: Final = "variables are whole; use dt.get_variable"
_PILLOW: Final = "use dt.data.load_image and dt.data.from_image_folder, or Pillow itself"
_NUMPY_OPERATOR: Final = "use dt.matmul, dt.matrix_solve and the other functions of dt.linalg on dense matrices"

ABSENT: Final[dict[str, dict[str, str]]] = {
    "": {
        "contrib": "dt.layers, dt.nn, dt.losses, dt.metrics and dt.train have what its programs need most",
        "keras": "use dt.layers and dt.train, or Keras itself beside Dovetail",
        "flags": "use Python's argparse",
        "audio": "read sound with SciPy or soundfile and feed arrays by feed_dict",
        "autograph Module function wrap_function init_scope": "call Python functions that build the graph, and dt.cond, "
        "dt.while_loop or dt.scan for what depends on values",
        "enable_eager_execution enable_v2_behavior executing_eagerly_outside_functions": _NO_EAGER,
        "GradientTape": "use dt.gradients",
        "RegisterGradient NotDifferentiable NoGradient no_gradient": "use dt.custom_gradient or dt.stop_gradient",
        "UnconnectedGradients": "dt.gradients gives None where nothing connects; put dt.zeros_like in its place",
        "grad_pass_through recompute_grad": "use dt.custom_gradient",
        "GraphDef MetaGraphDef NodeDef AttrValue NameAttrList TensorInfo import_graph_def graph_util": _NO_PROTOBUF,
        "RunOptions profiler": "use dt.profile",
        "GraphOptions OptimizerOptions": "give options to dt.ConfigProto; plans are always optimized",
        "Dimension dimension_at_index dimension_value": "a dimension is an int or a symbol: shape[axis]; those of get_shape() have a value",
        "VariableAggregation VariableSynchronization distribute": _ONE_PROCESS,
        "config": "use dt.ConfigProto, and Session.list_devices for what there is",
        "container": "variables live in their session",
        "create_partitioned_variables fixed_size_partitioner min_max_variable_partitioner variable_axis_size_partitioner": (
            _WHOLE
        ),
        "variable_creator_scope": "call a function of your own in place of dt.get_variable",
        "variable_op_scope": "use dt.variable_scope",
        "get_session_handle get_session_tensor delete_session_tensor": "fetch arrays and feed them, or keep values in "
        "dt.Variable",
        "enable_tensor_equality": "use dt.equal; == compares tensors by identity",
        "enable_v2_tensorshape": "a shape's dimensions are ints and symbols already",
        "resource_variables_enabled control_flow_v2_enabled": "there is one kind of variable and of control flow",
        "get_logger": 'use Python\'s logging.getLogger("dovetail")',
        "load_library load_op_library load_file_system_library sysconfig user_ops raw_ops": "write an operation in Python; "
        "docs/plugins.md shows how",
        "make_ndarray make_tensor_proto": "constants are NumPy arrays: dt.constant(array)",
        "register_tensor_conversion_function": "convert to NumPy arrays or tensors before a call",
        "convert_to_tensor_or_indexed_slices": "use dt.convert_to_tensor",
        "qint8 qint16 qint32 quint8 quint16 quantize quantized_concat dequantize quantization": _NO_QUANTIZATION,
        "fake_quant_with_min_max_args_gradient fake_quant_with_min_max_vars_gradient "
        "fake_quant_with_min_max_vars_per_channel_gradient": "use dt.gradients of the function itself",
        "resource variant": "a variable's handle has the dtype of its value",
        "log_sigmoid": "use dt.nn.log_sigmoid",
        "matrix_square_root": "use dt.self_adjoint_eig for symmetric matrices",
        "mul": "use dt.multiply",
        "sub": "use dt.subtract",
        "neg": "use dt.negative",
        "complex_abs": "use dt.abs",
        "pack": "use dt.stack",
        "unpack": "use dt.unstack",
        "sparse_matmul": "use dt.matmul",
        "extract_volume_patches": "use dt.nn.conv3d, or slices",
        "decode_base64 encode_base64": "use Python's base64 by dt.py_func",
        "string_to_hash_bucket string_to_hash_bucket_fast string_to_hash_bucket_strong": "map words to numbers in Python",
        "CriticalSection": "runs of a session never mix their effects",
        "print": "use dt.Print, and what it returns",
        "get_seed": "give seed= to an operation, or dt.set_random_seed to the graph",
        "timestamp": "use Python's time outside the graph",
        "vectorized_map": "use dt.map_fn, or operations on whole batches",
        "py_function": "use dt.py_func",
        "FIFOQueue PaddingFIFOQueue PriorityQueue QueueBase RandomShuffleQueue ConditionalAccumulator "
        "ConditionalAccumulatorBase SparseConditionalAccumulator queue": "feed batches by feed_dict, from Python's queue "
        "where threads make them",
        "FixedLenFeature FixedLenSequenceFeature SparseFeature VarLenFeature parse_example parse_single_example "
        "parse_single_sequence_example parse_tensor serialize_tensor decode_json_example decode_csv decode_raw "
        "decode_compressed FixedLengthRecordReader IdentityReader LMDBReader ReaderBase TFRecordReader TextLineReader "
        "WholeFileReader matching_files read_file write_file python_io": _ARRAYS_IN,
        "RaggedTensor deserialize_many_sparse serialize_many_sparse serialize_sparse sparse ragged sets sparse_add "
        "sparse_concat sparse_fill_empty_rows sparse_mask sparse_maximum sparse_merge sparse_minimum sparse_reduce_max "
        "sparse_reduce_max_sparse sparse_reduce_sum sparse_reduce_sum_sparse sparse_reorder sparse_reset_shape "
        "sparse_reshape sparse_retain sparse_slice sparse_softmax sparse_split sparse_to_indicator sparse_transpose": _NO_SPARSE,
        "debugging": "use dt.assert_equal and its relatives, and dt.check_numerics",
        "distributions": "use dt.random and the functions of dt.math",
        "lookup": "map words to numbers in Python, and use dt.nn.embedding_lookup",
        "manip": "use dt.reshape, dt.reverse, dt.roll, dt.tile, dt.gather_nd and dt.scatter_nd",
        "nest": "Session.run takes nested structures; flatten others in Python",
        "resource_loader": "use Python's importlib.resources",
    },
    "Graph": {
        "as_graph_def graph_def_versions": _NO_PROTOBUF,
        "building_function switch_to_thread_local": "a graph is one for all threads; bodies of control flow are graphs of their own",
        "collections": "use get_all_collection_keys() and get_collection()",
        "colocate_with": "use dt.colocate_with",
        "container": "variables live in their session",
        "create_op": "call the function of the operation, or a definition of dovetail.extend",
        "gradient_override_map": "use dt.custom_gradient",
        "is_feedable prevent_feeding prevent_fetching": "every tensor can be fed and fetched",
    },
    "Session": {
        "graph_def": _NO_PROTOBUF,
        "partial_run partial_run_setup": "fetch everything in one run, or keep what is computed so far in dt.Variable",
        "reset": "close the session, and open another",
        "sess_str": "there is no server",
    },
    "app": {"flags": "use Python's argparse"},
    "nn": {
        "ctc_unique_labels": "give labels to dt.nn.ctc_loss as they are",
        "fractional_avg_pool": "use dt.nn.avg_pool",
        "fractional_max_pool": "use dt.nn.max_pool",
        "quantized_avg_pool quantized_conv2d quantized_max_pool quantized_relu_x": _NO_QUANTIZATION,
        "static_state_saving_rnn": "use dt.nn.dynamic_rnn, and keep its state in a dt.Variable",
        "with_space_to_batch": "use the dilations of dt.nn.convolution",
    },
    "layers": {"Layer": "subclass dovetail.extend.Layer; docs/plugins.md shows how"},
    "train": {
        "Example Feature FeatureList FeatureLists Features SequenceExample BytesList FloatList Int64List": _ARRAYS_IN,
        "batch batch_join shuffle_batch shuffle_batch_join maybe_batch maybe_batch_join maybe_shuffle_batch "
        "maybe_shuffle_batch_join input_producer limit_epochs match_filenames_once range_input_producer "
        "slice_input_producer string_input_producer QueueRunner add_queue_runner queue_runner start_queue_runners": (
            "use the datasets of dt.data.from_arrays and its relatives; there are no queues to run"
        ),
        "ClusterDef JobDef Server ServerDef SyncReplicasOptimizer WorkerSessionCreator "
        "replica_device_setter": _ONE_PROCESS,
        "Supervisor SessionManager basic_train_loop": "use dt.train.MonitoredTrainingSession",
        "Checkpoint CheckpointManager": "use dt.train.Saver",
        "SaverDef": "use dt.train.export_meta_graph(saver=...)",
        "generate_checkpoint_state_proto": "use dt.train.update_checkpoint_state",
        "checkpoints_iterator": "call dt.train.latest_checkpoint in a loop",
        "VocabInfo warm_start init_from_checkpoint": "use a dt.train.Saver with a dictionary of names, in the init_fn of a dt.train.Scaffold",
        "do_quantize_training_on_graphdef": _NO_QUANTIZATION,
        "sdca_fprint sdca_optimizer sdca_shrink_l1": "use dt.train.FtrlOptimizer for linear models",
    },
    "random": {
        "get_seed": "give seed= to an operation, or dt.set_random_seed to the graph",
    },
    "image": {
        "decode_and_crop_jpeg decode_bmp decode_gif decode_image decode_jpeg decode_png encode_jpeg encode_png "
        "extract_jpeg_shape is_jpeg adjust_jpeg_quality random_jpeg_quality": _PILLOW,
        "draw_bounding_boxes": "draw with Matplotlib or Pillow",
        "generate_bounding_box_proposals combined_non_max_suppression non_max_suppression_overlaps "
        "non_max_suppression_padded non_max_suppression_with_scores sample_distorted_bounding_box extract_glimpse": (
            "use NumPy by dt.py_func"
        ),
    },
    "strings": {
        "to_hash_bucket to_hash_bucket_fast to_hash_bucket_strong": "map words to numbers in Python",
        "ngrams unicode_decode unicode_decode_with_offsets unicode_encode unicode_script unicode_split "
        "unicode_split_with_offsets unicode_transcode bytes_split format": "work on strings in Python, or by dt.py_func",
    },
    "linalg": {
        "sqrtm": "use dt.self_adjoint_eig for symmetric matrices",
        "LinearOperator LinearOperatorAdjoint LinearOperatorBlockDiag LinearOperatorBlockLowerTriangular "
        "LinearOperatorCirculant LinearOperatorCirculant2D LinearOperatorCirculant3D LinearOperatorComposition "
        "LinearOperatorDiag LinearOperatorFullMatrix LinearOperatorHouseholder LinearOperatorIdentity "
        "LinearOperatorInversion LinearOperatorKronecker LinearOperatorLowRankUpdate LinearOperatorLowerTriangular "
        "LinearOperatorPermutation LinearOperatorScaledIdentity LinearOperatorToeplitz LinearOperatorTridiag "
        "LinearOperatorZeros": _NUMPY_OPERATOR,
        "lu": "use dt.matrix_solve, or dt.qr",
        "tridiagonal_solve": "use dt.matrix_solve",
    },
    "math": {
        "special": "its functions are in dt.math",
        "nextafter": "use dt.py_func with numpy.nextafter",
    },
    "summary": {
        "get_summary_description": "a message dt.SummaryMetadata holds what is known of a summary",
        "initialize all_v2_summary_ops": "make a dt.summary.FileWriter",
    },
    "data": {
        "FixedLengthRecordDataset TFRecordDataset": "read records in Python, by dt.data.from_generator",
        "Options": "there is nothing to choose: order follows from seeds, and threads are arguments",
        "get_output_classes": "elements are dense arrays; use dt.data.get_output_types and dt.data.get_output_shapes",
    },
    "saved_model": {
        "save": "use dt.saved_model.simple_save",
        "main_op main_op_with_restore": "give SavedModelBuilder the main_op itself, such as dt.local_variables_initializer()",
    },
}
"""What is left out, with what to use."""

DIFFERS: Final[dict[str, str]] = {
    "data.Dataset": "functions work on NumPy arrays, or on tensors; window and options are left out; "
    "iter(dataset) works in graphs too",
    "data.Iterator": "its position belongs to it, not to a session; string handles are left out",
    "GPUOptions": "read by backends that serve GPUs; without effect on the CPU",
    "Graph": "has no as_graph_def (use dt.train.export_meta_graph) and no gradient_override_map (use dt.custom_gradient)",
    "Session": "has check_numerics and num_threads besides; no partial_run, and target has no effect",
    "ConfigProto": "an object with the options that have a meaning here, and backends besides",
    "Variable": "always read where it is used, after the writes made before it in the graph; has no to_proto",
    "Tensor": "its shape holds ints and symbols, which have no value attribute: use int(shape[1]) or shape.as_list()",
    "TensorShape": "gives a Shape, a tuple of ints and symbols; None makes a symbol, whose value is None",
    "get_variable": "partitioner and custom_getter are not supported",
    "make_template": "custom_getter_ is not supported",
    "variable_scope": "partitioner has no effect; custom_getter is not supported",
    "assert_equal": "fails when it runs, never while the graph is built",
    "app.run": "without flags",
    "OpError": "the base of all errors, those of building a graph included",
    "layers.batch_normalization": "the moving variance takes the unbiased variance for every rank, not only for images; "
    "renorm and virtual batches are not supported; minimize() runs the updates by itself",
    "layers.BatchNormalization": "as layers.batch_normalization",
    "metrics.mean": "counts in local variables, float32",
    "norm": "norms of complex numbers are real",
    "angle": "of negative real numbers it is π, and not 0",
    "nn.pool": "padding is never seen, with dilations neither, where TensorFlow takes zeros for it",
    "nn.max_pool_with_argmax": "places are int64 for every dtype of the images; images are NHWC",
    "image.resize_bilinear": "images of float64 stay float64; the size is known while the graph is built",
    "image.resize_bicubic": "as image.resize_bilinear",
    "image.resize_area": "as image.resize_bilinear",
    "image.resize_images": "as image.resize_bilinear",
    "image.resize": "as image.resize_bilinear",
    "summary.FileWriter": "session has no effect; there is no add_meta_graph",
    "RunMetadata": "a FileWriter's add_run_metadata makes it of what dt.profile returns; a run fills none",
    "set_random_seed": "random bits are those of Philox 4x32-10 by operation, not TensorFlow's",
    "TensorArray": "elements have one shape, those never written are 0, and an array that grows in a loop has no gradient",
    "saved_model": "bundles are JSON and safetensors; it does not read TensorFlow's",
    "saved_model.load": "returns what the bundle says of the graph: signature_def, tags, assets",
    "saved_model.classification_signature_def": "examples may have any dtype",
    "saved_model.regression_signature_def": "examples may have any dtype",
    "nn.ctc_loss": "labels that do not fit into the steps have an infinite loss, and are no error",
    "train.Saver": "writes safetensors with a manifest; it does not read TensorFlow's checkpoints",
    "train.export_meta_graph": "returns and writes JSON, not a protocol buffer",
    "train.write_graph": "writes JSON, not a protocol buffer",
    "train.MonitoredTrainingSession": "is_chief must be true; without summary_dir, summaries are written where tensorboard is installed",
    "train.CheckpointSaverHook": "saves and restores in this process only",
    "gfile.GFile": "local files only",
    "gfile.Glob": "sorted",
    "gfile.ListDirectory": "sorted",
    "tables_initializer": "does nothing, as there are no tables",
    "initialize_all_tables": "does nothing, as there are no tables",
    "disable_v2_behavior": "does nothing",
    "disable_eager_execution": "does nothing",
}
"""What differs, and how."""
