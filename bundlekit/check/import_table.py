"""Import names that differ from the name of their distribution, and distributions that are named like their module.

A line of `DIFFERENT` is an import name, then the distributions that provide it, the usual one first. A dotted name is
one of a namespace package. What is in neither table is unknown: a name is guessed for it (PEP 503), and the guess is
never held against a bundle.
"""

__all__ = ["ALIKE", "DIFFERENT", "NAMESPACES"]

DIFFERENT = """\
Bio biopython
Crypto pycryptodome pycrypto
Cryptodome pycryptodomex
IPython ipython
Levenshtein Levenshtein python-Levenshtein
MySQLdb mysqlclient
OpenGL PyOpenGL
OpenSSL pyOpenSSL
PIL pillow pillow-simd
PySide6 PySide6 PySide6-Essentials
Xlib python-xlib
_cffi_backend cffi
_distutils_hack setuptools
_pytest pytest
_yaml PyYAML
absl absl-py
airflow apache-airflow apache-airflow-core
apache_beam apache-beam
attr attrs
attrs attrs
axes django-axes
azure.core azure-core
azure.identity azure-identity
azure.keyvault.secrets azure-keyvault-secrets
azure.storage.blob azure-storage-blob
azure.storage.filedatalake azure-storage-file-datalake
barcode python-barcode
bayes_opt bayesian-optimization
blib2to3 black
bs4 beautifulsoup4
bson pymongo bson
cairo pycairo
calabaria modelops-calabaria calabaria
chess chess python-chess
clr pythonnet
community python-louvain
consul python-consul
cpuinfo py-cpuinfo
cupy cupy cupy-cuda11x cupy-cuda12x cupy-cuda13x
cupyx cupy cupy-cuda11x cupy-cuda12x cupy-cuda13x
cv2 opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless
dateutil python-dateutil
discord discord.py
django_filters django-filter
dns dnspython
docx python-docx
dotenv python-dotenv
ee earthengine-api
engineio python-engineio
environ django-environ
faiss faiss-cpu faiss-gpu faiss-gpu-cu12
ffmpeg ffmpeg-python
fitz PyMuPDF
flask_cors Flask-Cors
flask_login Flask-Login
flask_sqlalchemy Flask-SQLAlchemy
fontTools fonttools
functorch torch
gi PyGObject
git GitPython
github PyGithub
gitlab python-gitlab
google.api_core google-api-core
google.auth google-auth
google.cloud.bigquery google-cloud-bigquery
google.cloud.pubsub_v1 google-cloud-pubsub
google.cloud.secretmanager google-cloud-secret-manager
google.cloud.storage google-cloud-storage
google.genai google-genai
google.generativeai google-generativeai
google.oauth2 google-auth
google.protobuf protobuf
google_auth_oauthlib google-auth-oauthlib
googleapiclient google-api-python-client
graphql graphql-core
gridfs pymongo
grpc grpcio
grpc_status grpcio-status
grpc_tools grpcio-tools
haystack haystack-ai farm-haystack django-haystack
hydra hydra-core
igraph igraph python-igraph
imblearn imbalanced-learn
ipykernel_launcher ipykernel
jnius pyjnius
jose python-jose
jupyter jupyter-core
jwt PyJWT
kafka kafka-python kafka-python-ng
ldap python-ldap
libarchive libarchive-c
lightning lightning
lightning_fabric lightning pytorch-lightning
llama_cpp llama-cpp-python
magic python-magic python-magic-bin
mcubes PyMCubes
memcache python-memcached
modelops_bundle modelops-bundle
modelops_calabaria modelops-calabaria calabaria
modelops_contracts modelops-contracts
mpl_toolkits matplotlib
mpl_toolkits.basemap basemap
msgpack msgpack msgpack-python
multipart python-multipart multipart
mypyc mypy
mysql mysql-connector-python
nacl PyNaCl
nvidia_smi nvidia-ml-py3
odf odfpy
opentelemetry.sdk opentelemetry-sdk
osgeo GDAL
osgeo_utils GDAL
parallel pyparallel
past future
pkg_resources setuptools
playhouse peewee
pptx python-pptx
progressbar progressbar2 progressbar
psycopg psycopg
psycopg2 psycopg2 psycopg2-binary
py py pytest
pyaudio PyAudio
pylab matplotlib
pynvml nvidia-ml-py pynvml
pypandoc pypandoc pypandoc-binary
pyro pyro-ppl
pythoncom pywin32
pythonjsonlogger python-json-logger
pytorch_lightning pytorch-lightning
pywintypes pywin32
pywt PyWavelets
pyximport Cython
qtpy QtPy
rapidjson python-rapidjson
rdkit rdkit rdkit-pypi
rest_framework djangorestframework
rpds rpds-py
ruamel.yaml ruamel.yaml
sdl2 PySDL2
sentry_sdk sentry-sdk
serial pyserial
setuptools setuptools
shapefile pyshp
skbio scikit-bio
skbuild scikit-build
skfuzzy scikit-fuzzy
skimage scikit-image
sklearn scikit-learn
sklearn_extra scikit-learn-extra
sklearnex scikit-learn-intelex
skmisc scikit-misc
skopt scikit-optimize
sksurv scikit-survival
slack slackclient
slack_sdk slack-sdk
slugify python-slugify
smbus smbus smbus-cffi
snappy python-snappy
snowflake.connector snowflake-connector-python
socketio python-socketio
socks PySocks
sockshandler PySocks
speech_recognition SpeechRecognition
stan pystan
stdnum python-stdnum
tabula tabula-py
talib TA-Lib
telegram python-telegram-bot
tensorflow tensorflow tensorflow-cpu tensorflow-gpu tensorflow-macos tf-nightly
tensorflow_probability tensorflow-probability
tlz toolz
torch_geometric torch-geometric
torchgen torch
umap umap-learn
usb pyusb
usb1 libusb1
vtkmodules vtk
websocket websocket-client
whisper openai-whisper
win32api pywin32
win32clipboard pywin32
win32com pywin32
win32con pywin32
win32event pywin32
win32file pywin32
win32gui pywin32
win32process pywin32
wx wxPython
xgboost xgboost xgboost-cpu
yaml PyYAML
z3 z3-solver
zmq pyzmq
"""

ALIKE = """\
aiofiles aiohttp alembic altair anndata anyio appdirs arch argcomplete arrow arviz asgiref astropy asyncpg bambi black
blackjax bleach blinker blosc2 bokeh boltons boto3 botocore bottleneck cachetools cartopy celery certifi cffi cftime
chardet charset-normalizer click cloudpathlib cloudpickle cmdstanpy colorama coloredlogs colorlog contourpy corner
covasim coverage cryptography cvxopt cvxpy cycler cython dacite dask datasets deap debugpy deprecated dill distributed
django docopt docutils duckdb einops elasticsearch emcee evosax fabric faker fastapi fastparquet filelock fiona flask
flax folium fpsim freezegun fsspec ftfy future gcsfs gensim geopandas geopy gevent gpytorch graphviz greenlet gunicorn
gurobipy gymnasium h11 h5netcdf h5py holoviews hpvsim html5lib httpcore httpx huggingface-hub hvplot hypothesis idna
imageio importlib-metadata importlib-resources iniconfig invoke isodate itsdangerous jax jaxtyping jedi jinja2
jmespath joblib jsonschema jupyter-client jupyter-core keras kiwisolver lark lifelines lightgbm llvmlite lmfit loguru
lxml mako mapclassify markdown markupsafe marshmallow matplotlib mesa mistune mlflow mlxtend mpi4py mpmath msgspec
multidict multiprocess mypy narwhals nbconvert nbformat netcdf4 networkx nevergrad nltk notebook numba numcodecs
numexpr numpy numpy-financial numpyro omegaconf openai openmm openpyxl optax optuna orjson ortools packaging pandas
pandera panel papermill paramiko parso partd pathos pathspec patsy peewee pendulum pexpect phonenumbers pika pint
platformdirs plotly pluggy polars pooch portalocker prefect prometheus-client prompt-toolkit prophet psutil pulp pvlib
pyabc pyarrow pyasn1 pycocotools pycparser pydantic pydantic-core pydicom pydot pydub pygam pygame pygments pymc
pymongo pymoo pymysql pynndescent pyomo pyparsing pypdf pypdf2 pyperclip pyproj pyqt5 pyqt6 pyspark pystac pytensor
pytest pytz pyvista qutip ray redis regex requests requests-oauthlib rich s3fs sacred salib scikit-posthocs scipy
sciris seaborn sentencepiece shap shapely simpleitk simpy six sniffio sortedcontainers sounddevice soupsieve spacy
sparse sphinx sqlalchemy sqlmodel stable-baselines3 starlette starsim statsmodels sympy tables tabulate tblib tenacity
tensorboard termcolor textual threadpoolctl tifffile tiktoken timm tinydb tokenizers tomli tomli-w tomlkit toolz torch
torchaudio torchmetrics torchvision tornado tqdm traitlets transformers trimesh trio twisted typeguard typer typing-
extensions tzlocal ujson uncertainties unidecode urllib3 uvicorn uvloop validators virtualenv vtk wandb watchdog
wcwidth websockets werkzeug wrapt xarray xlrd xlsxwriter xlwt xmltodict xskillscore xxhash yarl zarr zict zipp
zstandard
"""
"""Normal names of distributions whose import name is their own; what else one of them provides is in `DIFFERENT`."""

NAMESPACES = (
    "azure backports flufl google jaraco nvidia opentelemetry paste repoze ruamel snowflake sphinxcontrib zc zope"
)
"""Packages that many distributions continue, each named after its part."""
